"""A study as a ZIP file with DICOMDIR (PS3.10 section 8), read by an independent reader."""

import asyncio
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from pydicom import dcmread
from pydicom.fileset import FileSet

from tests.dicomweb import address, keep, series_address
from tests.samples import ct_series, patient_study, to_bytes

ZIP = {"Accept": "application/zip"}


def report():
    data = patient_study("1", "1.2.840.10008.5.1.4.1.1.88.11")
    data.SeriesInstanceUID, data.SOPInstanceUID, data.Modality = "1.2.3.88", "1.2.3.88.1", "SR"
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    return data


async def zip_of(client, path, **headers):
    reply = await client.get(path, headers={**ZIP, **headers})
    assert (reply.status, reply.content_type) == (200, "application/zip"), await reply.text()
    return ZipFile(BytesIO(await reply.read())), reply


def read_disc(packed, folder):
    """In a thread: an outside reader's view of the unpacked disc."""
    packed.extractall(folder)
    found = FileSet(folder / "DICOMDIR")
    files = {instance.SOPInstanceUID: Path(instance.path).read_bytes() for instance in found}
    values = {
        keyword: sorted(map(str, found.find_values(keyword))) for keyword in ("PatientID", "PatientName", "Modality")
    }
    # Else its folder is removed by the collector, whenever that comes by.
    found._stage["t"].cleanup()
    kinds = sorted(record.DirectoryRecordType for record in dcmread(folder / "DICOMDIR").DirectoryRecordSequence)
    return files, values, kinds


async def test_a_study_with_its_directory(archive, client, tmp_path):
    series = ct_series("1", 3, 16)
    await keep(archive, *series, report())
    packed, reply = await zip_of(client, f"/dicom-web/studies/{series[0].StudyInstanceUID}")
    assert packed.testzip() is None
    assert packed.namelist()[-1] == "DICOMDIR"
    files, values, kinds = await asyncio.to_thread(read_disc, packed, tmp_path / "disc")
    assert files == {str(data.SOPInstanceUID): to_bytes(data) for data in [*series, report()]}
    assert values["PatientID"] == [series[0].PatientID]
    assert values["PatientName"] == ["Wang^XiaoDong=王^小东"]
    assert values["Modality"] == ["CT", "SR"]
    assert kinds == ["IMAGE"] * 3 + ["PATIENT", "SERIES", "SERIES", "SR DOCUMENT", "STUDY"]
    again = await client.get(reply.url.path, headers={**ZIP, "If-None-Match": reply.headers["ETag"]})
    assert again.status == 304


async def test_a_series_and_an_instance_and_a_named_syntax(archive, client):
    series = ct_series("1", 2, 16)
    await keep(archive, *series, report())
    packed, _ = await zip_of(client, series_address(series[0]))
    assert packed.namelist() == ["DICOM/SE000001/IM000001", "DICOM/SE000001/IM000002", "DICOMDIR"]
    wanted = "1.2.840.10008.1.2.4.80"
    packed, _ = await zip_of(client, address(series[0]), Accept=f"application/zip; transfer-syntax={wanted}")
    name, directory = packed.namelist()
    assert dcmread(BytesIO(packed.read(name))).file_meta.TransferSyntaxUID == wanted
    (leaf,) = [
        each for each in dcmread(BytesIO(packed.read(directory))).DirectoryRecordSequence if "ReferencedFileID" in each
    ]
    assert leaf.ReferencedTransferSyntaxUIDInFile == wanted
    assert leaf.ReferencedFileID == name.split("/")


async def test_security_14_a_zip_of_what_one_may_not_see_is_404(archive, client):
    assert (await client.get("/dicom-web/studies/1.2.3", headers=ZIP)).status == 404
