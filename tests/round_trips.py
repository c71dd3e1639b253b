"""A file through dicomweb-client, as a program of somebody else would store, find and fetch it."""

import asyncio
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from dicomweb_client.api import DICOMwebClient
from pydicom import Dataset, dcmread, dcmwrite
from requests import HTTPError

from imaging.dicomweb.app import routes
from imaging.guard import Access
from tests.archives import HeaderGuard, archive_at, client_of

PLAIN = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
ANY_DICOM = (("application/dicom", "*"),)


def opened(address: str, hospital: str) -> DICOMwebClient:
    return DICOMwebClient(address, headers={"Authorization": hospital})


def round_trip(client: DICOMwebClient, path: Path) -> str:
    """``same``: stored, found at every level and fetched as sent; ``stored``: the client cannot ask for it;
    ``refused``: not stored; else what is wrong.
    """
    body = path.read_bytes()
    try:
        # As the client's store_instances does, but with the file's own bytes: pydicom loses some when it writes.
        answer = client._http_post_multipart_application_dicom(f"{client.base_url}/studies", [body])
    except HTTPError as error:
        return "refused" if error.response.status_code == 409 else f"stored with {error.response.status_code}"
    if len(answer.get("ReferencedSOPSequence", [])) != 1:
        return "not referenced"
    uids = re.findall(r"/(?:studies|series|instances)/([^/]+)", answer.ReferencedSOPSequence[0].RetrieveURL)
    # The client asks for no UID that breaks the rule of PS3.5 section 9.1.
    standard = all(re.fullmatch(r"[0-9]+(\.[0-9]+)*", uid) for uid in uids)
    return fetched(client, *uids, body) if standard else "stored"


def written(data: Dataset) -> bytes:
    """Empty where pydicom reads what it cannot write."""
    buffer = BytesIO()
    try:
        dcmwrite(buffer, data)
    except Exception:
        return b""
    return buffer.getvalue()


def fetched(client: DICOMwebClient, study: str, series: str, instance: str, body: bytes) -> str:
    found = {
        "study": client.search_for_studies(search_filters={"StudyInstanceUID": study}),
        "series": client.search_for_series(study, search_filters={"SeriesInstanceUID": series}),
        "instance": client.search_for_instances(study, series, search_filters={"SOPInstanceUID": instance}),
    }
    missing = [level for level, hits in found.items() if len(hits) != 1]
    if missing:
        return f"not found: {missing}"
    if client.retrieve_instance_metadata(study, series, instance)["00080018"]["Value"] != [instance]:
        return "other metadata"
    back = client.retrieve_instance(study, series, instance, media_types=ANY_DICOM)
    sent = dcmread(BytesIO(body), force=True)
    # Files without these get them, and a preamble that could run is withheld (security 1).
    sent.file_meta, sent.preamble = back.file_meta, back.preamble
    if written(back) != written(sent):
        return "other bytes"
    return frames(client, sent, (study, series, instance))


def frames(client: DICOMwebClient, sent: Dataset, uids: tuple[str, str, str]) -> str:
    if "PixelData" not in sent or sent.file_meta.TransferSyntaxUID not in PLAIN or not sent.get("Rows"):
        return "same"
    samples = 2 if sent.PhotometricInterpretation == "YBR_FULL_422" else sent.get("SamplesPerPixel", 1)
    size = sent.Rows * sent.Columns * samples * sent.BitsAllocated // 8
    if len(sent.PixelData) < size:
        return "same"
    (frame,) = client.retrieve_instance_frames(*uids, [1])
    return "same" if frame[:size] == sent.PixelData[:size] else "another frame"


class AnyHospital(HeaderGuard):
    """The Authorization header names the hospital."""

    async def access(self, request):
        owner = request.headers["Authorization"]
        return Access(owner, store_as=owner, owners=frozenset({owner}))


async def tried(url: str, folder: Path, paths: Sequence[Path]) -> dict[str, str]:
    """What became of each file, by its path; each comes from a hospital of its own."""
    async with archive_at(url, folder) as archive, client_of(routes(archive, AnyHospital())) as server:
        address = str(server.make_url("/dicom-web"))

        def trip(place, path):
            client = opened(address, f"H{place}")
            with client._session:
                return round_trip(client, path)

        return {str(path): await asyncio.to_thread(trip, place, path) for place, path in enumerate(paths)}
