"""What this service can do, told from its own routes (PS3.18 section 8.9), and which methods an address has."""

import re
from collections.abc import Sequence
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from aiohttp import web

from foundation.errors import NotFound
from imaging.dicomweb import http
from imaging.dicomweb.http import Door
from imaging.dicomweb.negotiation import Offer, choose

WADL: Final = "application/vnd.sun.wadl+xml"
_OFFERS: Final = (Offer(WADL), Offer("application/json"))
_PARAMETER: Final = re.compile(r"\{(\w+)(?::[^{}]*)?\}")
_HOSPITAL: Final = re.compile(r"^/hospitals/[^/]+")
_NAMESPACE: Final = "http://wadl.dev.java.net/2009/02"


class Capabilities:
    """resources: (method, path below the root), HEAD left out."""

    def __init__(self, door: Door, resources: Sequence[tuple[str, str]]) -> None:
        self._door = door
        self._methods: dict[str, list[str]] = {}
        for method, path in resources:
            self._methods.setdefault(path, []).append(method)
        self._patterns = [(_pattern(path), methods) for path, methods in self._methods.items()]

    async def describe(self, request: web.Request) -> web.StreamResponse:
        """OPTIONS or GET of the root."""
        await self._door.access(request)
        offer = choose(http.accept_of(request), _OFFERS)
        root = self._door.root(request)
        headers = {"Allow": "GET, HEAD, OPTIONS", "Cache-Control": "no-store"}
        if offer.media_type == WADL:
            return web.Response(text=_wadl(root, self._methods), content_type=WADL, headers=headers)
        return web.json_response(_json(root, self._methods), headers=headers)

    async def allowed(self, request: web.Request) -> web.StreamResponse:
        """OPTIONS of any other address: what may be done with it."""
        await self._door.access(request)
        path = _HOSPITAL.sub("", "/" + request.match_info["rest"])
        methods = {method for pattern, methods in self._patterns if pattern.fullmatch(path) for method in methods}
        if not methods:
            raise NotFound("No DICOMweb resource has this address.")
        methods |= {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())
        return web.Response(status=204, headers={"Allow": ", ".join(sorted(methods))})


def _pattern(path: str) -> re.Pattern[str]:
    literal, names = _PARAMETER.split(path)[::2], _PARAMETER.findall(path)
    # Only a bulk value's path reaches over slashes.
    inner = [".+" if name == "path" else "[^/]+" for name in names]
    return re.compile("".join(re.escape(text) + more for text, more in zip(literal, [*inner, ""], strict=True)))


def _json(root: str, methods: dict[str, list[str]]) -> dict[str, Any]:
    resources = [{"path": _template(path), "methods": found} for path, found in methods.items()]
    return {"resources": {"base": root, "resource": resources}}


def _wadl(root: str, methods: dict[str, list[str]]) -> str:
    resources = "".join(
        f"<resource path={quoteattr(_template(path))}>"
        + "".join(f'<param name="{name}" style="template" required="true"/>' for name in _PARAMETER.findall(path))
        + "".join(f'<method name="{method}"/>' for method in found)
        + "</resource>"
        for path, found in methods.items()
    )
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<application xmlns="{_NAMESPACE}">'
    return f"{head}<resources base={quoteattr(root)}>{resources}</resources></application>"


def _template(path: str) -> str:
    return _PARAMETER.sub(r"{\1}", path).removeprefix("/")
