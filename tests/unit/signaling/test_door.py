import json
from http import HTTPStatus

import pytest
from websockets.datastructures import Headers

from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.door import Door, refused_upgrade, room_of
from signaling.messages import decode
from signaling.tickets import Tickets
from tests.unit.signaling.fakes import SECRET, MemoryAdmission, MemorySpent, MovableClock, claims_of

ORIGINS = frozenset({"https://clinic.example"})


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("/rooms/01J-a_b", "01J-a_b"),
        ("/rooms/R1?x=1", "R1"),
        ("/rooms/", None),
        ("/rooms/a/b", None),
        ("/rooms/R1\n", None),
        ("/rooms/" + "x" * 65, None),
        ("/", None),
    ],
)
def test_a_path_names_a_room_or_none(path, room):
    assert room_of(path) == room


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("http://127.0.0.1:8080", None),
        ("https://127.0.0.1", None),
        ("https://clinic.example", None),
        ("https://clinic.example:444", HTTPStatus.FORBIDDEN),
        ("https://evil.example", HTTPStatus.FORBIDDEN),
        ("http://127.0.0.1.evil.example", HTTPStatus.FORBIDDEN),
        ("null", HTTPStatus.FORBIDDEN),
        ("http://[broken", HTTPStatus.FORBIDDEN),
    ],
)
def test_only_pages_of_this_host_or_a_configured_origin_may_connect(origin, refused):
    headers = Headers({"Host": "127.0.0.1:8081", "Origin": origin})
    assert refused_upgrade("/rooms/R1", headers, ORIGINS) == refused


def test_a_program_without_an_origin_may_connect_and_other_paths_do_not_exist():
    assert refused_upgrade("/rooms/R1", Headers({"Host": "h"}), ORIGINS) is None
    assert refused_upgrade("/elsewhere", Headers({"Host": "h"}), ORIGINS) is HTTPStatus.NOT_FOUND


@pytest.fixture
def tickets():
    return Tickets(SECRET, MovableClock())


@pytest.fixture
def admission():
    return MemoryAdmission()


@pytest.fixture
def door(tickets, admission):
    return Door(tickets, MemorySpent(), admission)


def opening(kind, **body):
    return decode(json.dumps({"v": 1, "k": kind, "b": body}).encode(), 1 << 20)


async def admitted(door, message, room="R1"):
    entry = door.read(room, message)
    await door.admit(entry)
    return entry


async def refusal(door, message, room="R1"):
    with pytest.raises(Refusal) as caught:
        await admitted(door, message, room)
    return caught.value.code, caught.value.close


async def test_a_ticket_opens_its_own_room_only(door, tickets):
    entry = await admitted(door, opening("hello", ticket=tickets.issue(claims_of("ann"))))
    assert (entry.claims.person, entry.visit, entry.since) == ("ann", None, None)
    other = opening("hello", ticket=tickets.issue(claims_of("ann", room="R2")))
    assert await refusal(door, other) == (ErrorCode.NOT_ALLOWED, CloseCode.BAD_TICKET)


async def test_a_ticket_opens_once_and_reading_it_uses_nothing_up(door, tickets):
    hello = opening("hello", ticket=tickets.issue(claims_of("ann")))
    door.read("R1", hello)
    await admitted(door, hello)
    assert await refusal(door, hello) == (ErrorCode.AUTH_TICKET_USED, CloseCode.TICKET_STALE)


async def test_a_resume_says_where_the_page_stands(door, tickets):
    token = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    entry = await admitted(door, opening("resume", resume_token=token, epoch="E1", seq=7))
    assert (entry.visit, entry.since) == ("v1", ("E1", 7))


async def test_a_resume_cannot_claim_another_history_than_its_token(door, tickets):
    token = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    entry = await admitted(door, opening("resume", resume_token=token, epoch="E2", seq=7))
    assert entry.since == ("", 7)


async def test_admission_is_asked_at_every_hello_and_resume(door, tickets, admission):
    hello = opening("hello", ticket=tickets.issue(claims_of("ann")))
    token = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    admission.refused.add("ann")
    revoked = (ErrorCode.AUTH_REVOKED, CloseCode.REMOVED)
    assert await refusal(door, hello) == revoked
    assert await refusal(door, opening("resume", resume_token=token, epoch="E1", seq=0)) == revoked


async def test_an_admission_that_cannot_be_asked_admits_nobody_for_now(door, tickets, admission):
    admission.failing = True
    hello = opening("hello", ticket=tickets.issue(claims_of("ann")))
    assert await refusal(door, hello) == (ErrorCode.UNAVAILABLE, CloseCode.UNAVAILABLE)


async def test_anything_but_an_opening_is_out_of_turn(door):
    assert await refusal(door, opening("control.request")) == (ErrorCode.BAD_STATE, CloseCode.PROTOCOL)
