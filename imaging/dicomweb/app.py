"""All DICOMweb services under the root /dicom-web, and again under /dicom-web/hospitals/{owner} for one hospital's
holdings: that is how one names a study when two hospitals hold the same UID.
"""

from aiohttp import web

from foundation.errors import NotFound
from foundation.problem import Handler
from imaging.archive import Archive
from imaging.dicomweb import stow
from imaging.dicomweb.capabilities import Capabilities
from imaging.dicomweb.changes import Changes
from imaging.dicomweb.commitment import Commitment
from imaging.dicomweb.frames import Frames
from imaging.dicomweb.http import ROOT, Door
from imaging.dicomweb.metadata import Metadata
from imaging.dicomweb.removal import Removal, gone_when_deleted
from imaging.dicomweb.rendered import Rendered
from imaging.dicomweb.searching import Search
from imaging.dicomweb.wado import Instances
from imaging.dicomweb.wado_uri import WadoUri
from imaging.guard import Guard
from imaging.store.search import Level

_STUDY, _SERIES = "/studies/{study}", "/studies/{study}/series/{series}"
_INSTANCE = _SERIES + "/instances/{instance}"
_FRAMES = _INSTANCE + "/frames/{frames}"
_COMMITMENT = "/commitment-requests/{transaction}"


def routes(archive: Archive, guard: Guard, public_url: str | None = None) -> list[web.RouteDef]:
    """Everything under /dicom-web. ``public_url``: scheme and host in answers; None: those of each request."""
    door = Door(archive, guard, public_url)
    # The router tries one after the other: first what is asked for most.
    services = [*_counts(door), *_retrievals(door), *_searches(door), ("/changes", Changes(door).read)]
    commitment, removal = Commitment(door), gone_when_deleted(door, Removal(door).delete)
    resources = [
        *(web.get(path, gone_when_deleted(door, handler)) for path, handler in services),
        *(web.delete(path, removal) for path in (_STUDY, _SERIES, _INSTANCE)),
        *(web.post(_COMMITMENT, commitment.ask), web.get(_COMMITMENT, commitment.result)),
        *stow.routes(archive, guard, "", public_url),
    ]
    capabilities = Capabilities(door, [(row.method, row.path) for row in resources])
    mounted: list[web.RouteDef] = []
    for root in (ROOT, ROOT + "/hospitals/{owner}"):
        mounted += [web.RouteDef(row.method, root + row.path, row.handler, row.kwargs) for row in resources]
        for own in (root, root + "/"):
            mounted += [web.get(own, capabilities.describe), web.options(own, capabilities.describe)]
    everything = ROOT + "/{rest:.*}"
    return [*mounted, web.get(everything, _Nothing(door).refuse), web.options(everything, capabilities.allowed)]


def _counts(door: Door) -> list[tuple[str, Handler]]:
    # Before retrieval, for which the word would be a UID.
    paths = zip(("/studies", "/series", "/instances"), Level, strict=True)
    return [(f"{path}/count", Search(door, level).count) for path, level in paths]


def _searches(door: Door) -> list[tuple[str, Handler]]:
    studies, series, instances = (Search(door, level).search for level in Level)
    return [
        ("/studies", studies),
        ("/series", series),
        ("/instances", instances),
        (_STUDY + "/series", series),
        (_STUDY + "/instances", instances),
        (_SERIES + "/instances", instances),
    ]


def _retrievals(door: Door) -> list[tuple[str, Handler]]:
    instances, metadata, frames, pictures = Instances(door), Metadata(door), Frames(door), Rendered(door)
    every_level = [_STUDY, _SERIES, _INSTANCE]
    return [
        (_FRAMES, frames.retrieve),
        *((path, instances.retrieve) for path in every_level),
        *((path + "/metadata", metadata.retrieve) for path in every_level),
        *((path + "/rendered", pictures.rendered) for path in (*every_level, _FRAMES)),
        *((path + "/thumbnail", pictures.thumbnail) for path in (*every_level, _FRAMES)),
        (_INSTANCE + "/bulkdata/{path:.+}", frames.bulkdata),
        ("/wado", WadoUri(door, instances, pictures).retrieve),
    ]


class _Nothing:
    """What is not offered does not exist, for those who may ask at all."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def refuse(self, request: web.Request) -> web.StreamResponse:
        await self._door.access(request)
        raise NotFound("No DICOMweb resource has this address.")
