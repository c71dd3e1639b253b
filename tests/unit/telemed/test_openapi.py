import msgspec
import pytest
from msgspec import Struct

from telemed.openapi import PATH, document, route
from telemed.web import ADMINISTRATORS, Audience, Route


class Thing(Struct):
    name: str
    parent: "Thing | None" = None


class NewThing(Struct):
    name: str


class Paging(Struct):
    q: str
    limit: int = 50


async def handler(_call):
    raise NotImplementedError


ROWS = [
    Route("GET", "/api/v1/things", handler, ADMINISTRATORS, "Things", query=Paging, reply=Thing),
    Route("POST", "/api/v1/things", handler, ADMINISTRATORS, "New", body=NewThing, reply=Thing, status=201),
    Route("DELETE", r"/api/v1/things/{thing_id:\w+}", handler, ADMINISTRATORS, "Remove"),
    Route("GET", "/api/v1/things/{thing_id}.pdf", handler, Audience.ANYONE, "Print", media="application/pdf"),
]


@pytest.fixture
def described():
    return document(ROWS)


def references(value):
    if isinstance(value, dict):
        yield from ([value["$ref"]] if "$ref" in value else [])
        for member in value.values():
            yield from references(member)
    if isinstance(value, list):
        for member in value:
            yield from references(member)


def test_every_row_is_one_operation(described):
    operations = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert operations == {
        ("GET", "/api/v1/things"),
        ("POST", "/api/v1/things"),
        ("DELETE", "/api/v1/things/{thing_id}"),
        ("GET", "/api/v1/things/{thing_id}.pdf"),
    }


def test_every_reference_leads_somewhere(described):
    schemas = described["components"]["schemas"]
    assert {reference.rpartition("/")[2] for reference in references(described)} == set(schemas)


def test_parameters_come_from_the_address_and_the_query_struct(described):
    (thing_id,) = described["paths"]["/api/v1/things/{thing_id}"]["delete"]["parameters"]
    assert (thing_id["name"], thing_id["in"], thing_id["required"]) == ("thing_id", "path", True)
    query = described["paths"]["/api/v1/things"]["get"]["parameters"]
    assert [(row["name"], row["required"], row["schema"].get("default")) for row in query] == [
        ("q", True, None),
        ("limit", False, 50),
    ]


def test_each_answer_has_its_status_and_form(described):
    def answers(path, method):
        responses = described["paths"][path][method]["responses"]
        return {status: list(answer.get("content", ())) for status, answer in responses.items()}

    problem = {"default": ["application/problem+json"]}
    assert answers("/api/v1/things", "post") == {"201": ["application/json"]} | problem
    assert answers("/api/v1/things/{thing_id}", "delete") == {"204": []} | problem
    assert answers("/api/v1/things/{thing_id}.pdf", "get") == {"200": ["application/pdf"]} | problem


def test_who_may_call_is_told(described):
    things = described["paths"]["/api/v1/things"]["get"]
    assert (things["security"], things["x-roles"]) == ([{"session": []}], ["administrator"])
    assert described["paths"]["/api/v1/things/{thing_id}.pdf"]["get"]["security"] == []


def test_operations_have_names_of_their_own(described):
    names = [operation["operationId"] for methods in described["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names)) == len(ROWS)


async def test_the_document_describes_itself():
    served = msgspec.json.decode((await route(ROWS).handler(None)).body)
    assert PATH in served["paths"]
    assert "/dicom-web" in served["info"]["description"]
