"""Every refusal has the one shape: problem details (RFC 9457) with a stable code."""

import importlib
import pkgutil
import re
from collections import Counter
from io import BytesIO

import pytest

import foundation
import imaging
import signaling
import telemed
from foundation import errors
from foundation.errors import ServiceError
from telemed.access import Role
from tests.contracts.conftest import doors

MEMBERS = {"type", "title", "status", "code", "detail", "instance"}
CODE = re.compile(r"[a-z_]+(\.[a-z_]+)*")
BRANCHES = {cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, ServiceError)}


async def shape_of(reply):
    """What is wrong with the shape of a refusal; empty when nothing is."""
    if reply.content_type != "application/problem+json":
        return f"{reply.status} is {reply.content_type}"
    problem = await reply.json()
    faults = [
        *(f"no {name}" for name in MEMBERS - set(problem)),
        *(["another status"] if problem.get("status") != reply.status else []),
        *(["odd code"] if not CODE.fullmatch(problem.get("code", "")) else []),
        *(["may be cached"] if "no-store" not in reply.headers.get("Cache-Control", "") else []),
        *(["a fault of ours"] if reply.status >= 500 else []),
    ]
    return ", ".join(faults)


async def faults_of(replies):
    return {what: fault for what, reply in replies.items() if (fault := await shape_of(reply))}


async def test_a_strangers_refusals(client, platform):
    replies = {str(door): await client.request(door.method, door.path) for door in doors(platform.app)}
    refusals = {door: reply for door, reply in replies.items() if reply.status >= 400}
    assert len(refusals) > 30
    assert await faults_of(refusals) == {}


@pytest.mark.parametrize("username", ["wang", "admin"])
async def test_a_signed_in_persons_refusals_of_things_that_do_not_exist(platform, signed_in, username):
    person = await signed_in(username)
    replies = {}
    for door in doors(platform.app):
        if door.path != "/api/v1/events" and (door.method, door.path) != ("DELETE", "/api/v1/session"):
            replies[str(door)] = await person.request(door.method, door.path)
    refusals = {door: reply for door, reply in replies.items() if reply.status >= 400}
    assert len(refusals) > 20
    assert await faults_of(refusals) == {}


BAD_BODIES = {
    "not JSON": (b"{", "application/json", 400),
    "not UTF-8": (b'{"username": "\xff"}', "application/json", 400),
    "another shape": (b"[1, 2]", "application/json", 400),
    "nested without end": (b'{"x":' + b"[" * 50_000, "application/json", 400),
    "NUL": (b'{"username": "a\\u0000", "password": ""}', "application/json", 400),
    "a form": (b"username=wang", "application/x-www-form-urlencoded", 415),
    "over the limit": (b" " * (2 << 20), "application/json", 413),
}


@pytest.mark.parametrize(("body", "content_type", "status"), BAD_BODIES.values(), ids=BAD_BODIES)
async def test_a_body_that_nobody_can_read(client, signed_in, body, content_type, status):
    document = await (await client.get("/api/openapi.json")).json()
    people = {role: await signed_in(name) for role, name in ((Role.DOCTOR, "wang"), (Role.ADMINISTRATOR, "admin"))}
    replies = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                person = people[operation.get("x-roles", [Role.DOCTOR])[-1]]
                address = path.replace("{", "").replace("}", "")
                headers = {"Content-Type": content_type}
                replies[f"{method} {path}"] = await person.request(method, address, data=BytesIO(body), headers=headers)
    assert replies
    assert {what: reply.status for what, reply in replies.items() if reply.status != status} == {}
    assert await faults_of(replies) == {}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/dicom-web/nothing", 401),
        ("PUT", "/api/v1/session", 405),
        ("POST", "/anything", 405),
        ("GET", "/assets/nothing.js", 404),
        ("GET", "/api/v1/audit?limit=x", 401),
        ("GET", "/api/v1/%00", 404),
    ],
)
async def test_addresses_that_lead_nowhere(client, method, path, status):
    reply = await client.request(method, path)
    assert (reply.status, await shape_of(reply)) == (status, "")


def all_errors():
    for part in (foundation, imaging, signaling, telemed):
        for module in pkgutil.walk_packages(part.__path__, f"{part.__name__}."):
            if ".migrations." not in module.name:
                importlib.import_module(module.name)
    return list(descendants(ServiceError))


def descendants(cls):
    for child in cls.__subclasses__():
        yield child
        yield from descendants(child)


def test_every_error_has_a_code_of_its_own():
    counted = Counter(error.code for error in all_errors() if error.__module__.split(".")[0] != "tests")
    assert {code: times for code, times in counted.items() if times > 1} == {}


def test_every_code_has_a_word_for_its_subject():
    own = [error for error in all_errors() if error not in BRANCHES]
    assert own
    assert [error.code for error in own if not re.fullmatch(r"[a-z_]+\.[a-z_.]+", error.code)] == []
