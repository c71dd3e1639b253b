"""The API's own description, OpenAPI 3.1, made from the rows that mount it: what is not in the table does not exist."""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from aiohttp import web

from telemed.web import COOKIE, Audience, Call, Route

PATH: Final = "/api/openapi.json"
DESCRIPTION: Final = """\
The JSON API of the cloud clinic, as its browser pages use it: sign in with POST /api/v1/session, send the cookie, and
with every unsafe method the Origin of this very site. Times are RFC 3339 in UTC, keys are ULIDs.

Images travel by DICOMweb (PS3.18) below /dicom-web: STOW-RS, QIDO-RS and WADO-RS, with the same cookie or with
`Authorization: Bearer <api key>` for a hospital's own software. /dicom-web/hospitals/{code} is the same service
narrowed to what one hospital holds. AI vendors are served below /ai.

Every error is a problem document (RFC 9457) with a `code` that never changes.
"""

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_PARAMETER: Final = re.compile(r"\{(\w+)(?::[^{}]*)?\}")


class Problem(msgspec.Struct):
    """RFC 9457, with our own stable ``code``; further members may follow."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str


def route(rows: Sequence[Route]) -> Route:
    """The row that serves the document of ``rows`` and of itself."""

    async def serve(_call: Call[None]) -> web.Response:
        return web.Response(body=encoded, content_type=JSON)

    own = Route("GET", PATH, serve, Audience.ANYONE, "This document", reply=dict[str, Any])
    encoded = msgspec.json.encode(document([*rows, own]))
    return own


def document(rows: Iterable[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    rows = list(rows)
    shapes = [shape for row in rows for shape in (row.body, row.reply) if shape is not None]
    queries = {row.query: None for row in rows if row.query is not None}
    references, components = msgspec.json.schema_components(
        [Problem, *shapes, *queries], ref_template="#/components/schemas/{name}"
    )
    schema = dict(zip([Problem, *shapes, *queries], references, strict=True))
    # Query structs become parameters, not schemas of their own.
    properties = {shape: components.pop(shape.__name__) for shape in queries}
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(_plain(row.path), {})[row.method.lower()] = _operation(row, schema, properties)
    return {
        "openapi": "3.1.0",
        "info": {"title": "telemed", "version": "1", "description": DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"session": {"type": "apiKey", "in": "cookie", "name": COOKIE}},
        },
    }


def _operation(row: Route, schema: dict[Any, Any], properties: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(row),
        "summary": row.summary,
        "tags": [_segments(row)[0]],
        "parameters": [*_path_parameters(row), *_query_parameters(properties.get(row.query, {}))],
        "security": [] if row.allow is Audience.ANYONE else [{"session": []}],
        "responses": {**_success(row, schema), "default": _failure(schema)},
    }
    if row.allow is not Audience.ANYONE:
        operation["x-roles"] = sorted(row.allow)
    if row.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema[row.body]}}}
    return operation


def _success(row: Route, schema: dict[Any, Any]) -> dict[str, Any]:
    status = str(row.status)
    described = {"description": HTTPStatus(row.status).phrase}
    if row.reply is not None:
        return {status: {**described, "content": {JSON: {"schema": schema[row.reply]}}}}
    if row.media != JSON:
        return {status: {**described, "content": {row.media: {}}}}
    return {"204": {"description": HTTPStatus.NO_CONTENT.phrase}}


def _failure(schema: dict[Any, Any]) -> dict[str, Any]:
    return {"description": "A problem document", "content": {PROBLEM: {"schema": schema[Problem]}}}


def _path_parameters(row: Route) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(row.path)
    ]


def _query_parameters(shape: dict[str, Any]) -> list[dict[str, Any]]:
    required = shape.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in shape.get("properties", {}).items()
    ]


def _operation_id(row: Route) -> str:
    """get_hospitals_api_keys: stable, so that generated clients keep their names."""
    words = [re.sub(r"\W", "_", segment) for segment in _segments(row)]
    return "_".join([row.method.lower(), *words])


def _segments(row: Route) -> list[str]:
    """The address without its root; parameters count, or two routes would share an operation's name."""
    path = _plain(row.path).removeprefix("/api/v1/").removeprefix("/api/")
    return [segment.strip("{}") for segment in path.split("/")]


def _plain(path: str) -> str:
    """aiohttp's ``{name:pattern}`` as OpenAPI's ``{name}``."""
    return _PARAMETER.sub(r"{\1}", path)
