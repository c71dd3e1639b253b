"""The browser app's files: built by Vite into static/dist, served as they are."""

from pathlib import Path
from typing import Final

from aiohttp import web

from foundation.errors import NotFound

DIST: Final = Path(__file__).parents[1] / "static" / "dist"
IMMUTABLE: Final = "public, max-age=31536000, immutable"
SERVICE_PREFIXES: Final = ("/api/", "/dicom-web/", "/ai/")
# Here the page asks for the viewer at once (static/vite.config.ts).
STUDY_PREFIX: Final = "/studies/"
# A page of the app although it stands below a service: problem documents name it in their ``type``.
API_DOCS: Final = "/api/docs"


def routes(dist: Path = DIST) -> list[web.RouteDef]:
    """``/assets/*`` carry a content hash in their names and never change; every other path is the app itself."""

    assets = {
        path.relative_to(dist / "assets").as_posix(): path for path in (dist / "assets").rglob("*") if path.is_file()
    }
    built = (dist / "index.html").is_file()

    async def asset(request: web.Request) -> web.FileResponse:
        path = assets.get(request.match_info["name"])
        if path is None:
            raise NotFound()
        return web.FileResponse(path, headers={"Cache-Control": IMMUTABLE})

    async def page(request: web.Request) -> web.FileResponse:
        if request.path.startswith(SERVICE_PREFIXES) and request.path != API_DOCS:
            raise NotFound(f"There is no such address; see {API_DOCS}.")
        if not built:
            raise NotFound("The browser app is not built here; run script/setup.")
        name = "study.html" if request.path.startswith(STUDY_PREFIX) else "index.html"
        return web.FileResponse(dist / name, headers={"Cache-Control": "no-cache"})

    return [web.get("/assets/{name:.+}", asset), web.get("/{path:.*}", page)]
