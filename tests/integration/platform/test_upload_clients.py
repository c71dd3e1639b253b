"""A hospital sends with the tools it has: curl, dicomweb-client, files that dcmtk made. What it sent comes back."""

import asyncio
import shutil

import pytest
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom import dcmread

from tests.dicomweb import address, split
from tests.platforms import uids
from tests.samples import WANG, ct_series, ct_slice, named, to_bytes

STUDIES = "/dicom-web/studies"
NAME = {"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}
AS_STORED = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}


async def run(*command):
    """Standard output of a program that must succeed; the test is left out where the program is missing."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not on this machine")
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*command, **pipes)
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return out.decode()


def file_of(folder, data, name="image.dcm"):
    path = folder / name
    path.write_bytes(to_bytes(data))
    return path


async def curl(house, *options, hospital="WZ01"):
    """Status of a store request by curl."""
    key = f"Authorization: Bearer {house.keys[hospital]}"
    written = ("-sS", "-o", "/dev/null", "-w", "%{http_code}")
    return await run("curl", *written, "-H", key, *options, f"{house.base_url}{STUDIES}")


async def found(house, hospital, **query):
    reply = await house.pacs(hospital).get(STUDIES, params=query)
    return [] if reply.status == 204 else await reply.json(content_type=None)


async def retrieved(house, data):
    """The instance's bytes as they were stored."""
    reply = await house.pacs("WZ01").get(address(data), headers=AS_STORED)
    assert reply.status == 200, await reply.text()
    ((_, content),) = split(reply.headers["Content-Type"], await reply.read())
    return content


async def test_curl_sends_a_file_as_the_body(house, tmp_path):
    data = ct_slice("curl", size=16)
    path = file_of(tmp_path, data)
    assert await curl(house, "-H", "Content-Type: application/dicom", "--data-binary", f"@{path}") == "200"
    assert await retrieved(house, data) == path.read_bytes()


async def test_curl_sends_several_files_as_parts(house, tmp_path):
    series = ct_series("curl", 3, 16)
    files = [file_of(tmp_path, data, f"{index}.dcm") for index, data in enumerate(series)]
    parts = [option for path in files for option in ("-F", f"file=@{path};type=application/dicom")]
    kind = 'Content-Type: multipart/related; type="application/dicom"'
    assert await curl(house, "-H", kind, *parts) == "200"
    (study,) = await found(house, "WZ01", includefield="NumberOfStudyRelatedInstances")
    assert study["00201208"]["Value"] == [3]
    assert [await retrieved(house, data) for data in series] == [path.read_bytes() for path in files]


async def test_dicomweb_client_sends_finds_and_fetches(house):
    series = ct_series("client", 3, 16)

    def talk():
        client = DICOMwebClient(
            f"{house.base_url}/dicom-web", headers={"Authorization": f"Bearer {house.keys['WZ01']}"}
        )
        with client._session:
            client.store_instances(series)
            (study,) = client.search_for_studies(search_filters={"PatientName": "王*"})
            return study, client.retrieve_study(series[0].StudyInstanceUID)

    study, fetched = await asyncio.to_thread(talk)
    assert study["00100010"]["Value"] == [NAME]
    assert sorted(uids(fetched)) == sorted(uids(series))
    pixels = {str(data.SOPInstanceUID): data.PixelData for data in series}
    assert {str(data.SOPInstanceUID): data.PixelData for data in fetched} == pixels


@pytest.mark.parametrize("syntax", ["+te", "+ti", "+tb", "+td"])
async def test_a_file_in_each_syntax_that_dcmconv_writes(house, tmp_path, syntax):
    data = ct_slice(syntax, size=16)
    plain, made = file_of(tmp_path, data), tmp_path / "made.dcm"
    await run("dcmconv", syntax, str(plain), str(made))
    row = await house.store("WZ01", made.read_bytes())
    assert (row["patient_name"], row["patient_name_raw"]) == ("王小东", WANG)
    assert await retrieved(house, data) == made.read_bytes()


async def test_a_name_that_dcmodify_wrote_in_gb18030(house, tmp_path):
    path = file_of(tmp_path, ct_slice("dcmodify", size=16))
    name = b"(0010,0010)=" + "Ouyang^Na=欧阳^娜".encode("gb18030")
    await run("dcmodify", "-nb", "-m", "(0008,0005)=GB18030", "-m", name, str(path))
    row = await house.store("WZ01", path.read_bytes())
    assert row["patient_name"] == "欧阳娜"
    (study,) = await found(house, "WZ01", PatientName="欧阳*")
    assert study["00100010"]["Value"] == [{"Alphabetic": "Ouyang^Na", "Ideographic": "欧阳^娜"}]


async def test_a_photograph_that_img2dcm_wrapped(house, tmp_path):
    photograph, made = tmp_path / "photograph.jpg", tmp_path / "made.dcm"
    Image.new("L", (64, 48), 90).save(photograph)
    given = [part for key in ("PatientID=I1", "PatientName=Zhang^San", "Modality=OT") for part in ("-k", key)]
    await run("img2dcm", *given, str(photograph), str(made))
    row = await house.store("WZ01", made.read_bytes())
    assert (row["patient_name"], row["instance_count"]) == ("Zhang San", 1)
    picture = await house.pacs("WZ01").get(f"{address(dcmread(made))}/rendered", headers={"Accept": "image/png"})
    assert (picture.status, picture.content_type) == (200, "image/png")


async def test_another_hospitals_key_finds_and_fetches_nothing(house):
    data = ct_slice("secret", size=16)
    await house.store("WZ01", data)
    assert len(await found(house, "WZ01")) == 1
    assert await found(house, "SH01") == []
    paths = ("", "/metadata", "/rendered", "/thumbnail", "/frames/1")
    replies = [await house.pacs("SH01").get(address(data) + path) for path in paths]
    assert {reply.status for reply in replies} == {404}


@pytest.mark.parametrize("encoding", ["utf8", "gb18030", "gbk", "gbk_labelled_latin1", "gbk_unlabelled"])
async def test_a_chinese_name_arrives_right_whatever_its_label(house, encoding):
    row = await house.store("WZ01", named(encoding))
    assert (row["patient_name"], row["patient_name_raw"]) == ("王小东", WANG)
    (study,) = await found(house, "WZ01", PatientName="王*")
    assert study["00100010"]["Value"] == [NAME]
    searched = await house.done("chen", "GET", "/api/v1/studies?q=王小东")
    assert [hit["study_id"] for hit in searched["items"]] == [row["study_id"]]
