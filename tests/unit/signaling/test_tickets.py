from datetime import timedelta
from functools import partial

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.tickets import Tickets
from tests.unit.signaling.fakes import SECRET, START, MovableClock, claims_of

MINUTE = 60_000


@pytest.fixture
def clock():
    return MovableClock()


@pytest.fixture
def tickets(clock):
    return Tickets(SECRET, clock)


def resumed(tickets, token):
    resumption = tickets.read_resume(token)
    tickets.rotate(resumption)
    return resumption


def refused(redeem, token):
    with pytest.raises(Refusal) as caught:
        redeem(token)
    return caught.value.code, caught.value.close


def test_a_ticket_brings_back_its_claims(tickets):
    claims = claims_of("ann", grants={"chat", "point"})
    assert tickets.read(tickets.issue(claims)).claims == claims


def test_a_ticket_lives_five_minutes(tickets, clock):
    ticket = tickets.issue(claims_of("ann"))
    clock.forward(5 * MINUTE)
    assert refused(tickets.read, ticket) == (ErrorCode.AUTH_TICKET_EXPIRED, CloseCode.TICKET_STALE)


def test_no_ticket_outlives_the_session(tickets, clock):
    ticket = tickets.issue(claims_of("ann", session_ends_at=START + timedelta(minutes=1)))
    clock.forward(1 * MINUTE)
    assert refused(tickets.read, ticket)[0] is ErrorCode.AUTH_TICKET_EXPIRED


@pytest.mark.parametrize("forged", ["", "a.b.c", "é.é.é", "x" * 5000])
def test_what_is_no_ticket_is_a_bad_ticket(tickets, forged):
    assert refused(tickets.read, forged) == (ErrorCode.NOT_ALLOWED, CloseCode.BAD_TICKET)


def test_a_ticket_signed_by_somebody_else_is_bad(tickets, clock):
    forged = Tickets(b"f" * 32, clock).issue(claims_of("ann"))
    assert refused(tickets.read, forged)[1] is CloseCode.BAD_TICKET


def test_a_signed_token_of_another_shape_is_bad(tickets):
    odd = jwt.encode({"alg": "HS256"}, {"aud": "join", "sub": "ann"}, OctKey.import_key(SECRET))
    assert refused(tickets.read, odd)[1] is CloseCode.BAD_TICKET


def test_a_resume_token_is_no_ticket_and_a_ticket_no_resume_token(tickets):
    claims = claims_of("ann")
    assert refused(tickets.read, tickets.issue_resume(claims, "E1", "v1"))[1] is CloseCode.BAD_TICKET
    assert refused(partial(resumed, tickets), tickets.issue(claims))[1] is CloseCode.BAD_TICKET


def test_a_resume_token_names_the_history_and_the_stay(tickets):
    token = resumed(tickets, tickets.issue_resume(claims_of("ann"), "E1", "v1"))
    assert (token.claims.person, token.epoch, token.visit) == ("ann", "E1", "v1")


def test_resume_tokens_rotate(tickets):
    first = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    resumed(tickets, first)
    second = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    resumed(tickets, second)
    tickets.issue_resume(claims_of("ann"), "E1", "v1")
    assert refused(partial(resumed, tickets), first) == (ErrorCode.AUTH_TICKET_USED, CloseCode.TICKET_STALE)


def test_a_resume_whose_answer_was_lost_may_be_repeated(tickets):
    token = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    resumed(tickets, token)
    tickets.issue_resume(claims_of("ann"), "E1", "v1")
    assert resumed(tickets, token).visit == "v1"


def test_an_older_page_learns_that_it_was_replaced(tickets):
    older = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    tickets.issue_resume(claims_of("ann"), "E1", "v2")
    assert refused(partial(resumed, tickets), older) == (ErrorCode.AUTH_TICKET_USED, CloseCode.REPLACED)


def test_a_resume_token_of_before_a_restart_still_works(tickets, clock):
    token = tickets.issue_resume(claims_of("ann"), "E1", "v1")
    assert resumed(Tickets(SECRET, clock), token).visit == "v1"


def test_whoever_was_removed_needs_a_new_ticket(tickets, clock):
    claims = claims_of("ann")
    old = [tickets.issue(claims), tickets.issue_resume(claims, "E1", "v1")]
    tickets.revoke("R1", "ann")
    assert refused(tickets.read, old[0]) == (ErrorCode.AUTH_REVOKED, CloseCode.REMOVED)
    assert refused(partial(resumed, tickets), old[1]) == (ErrorCode.AUTH_REVOKED, CloseCode.REMOVED)
    clock.forward(1)
    assert tickets.read(tickets.issue(claims)).claims == claims


def test_removing_one_person_leaves_the_others_alone(tickets):
    ticket = tickets.issue(claims_of("bo"))
    tickets.revoke("R1", "ann")
    assert tickets.read(ticket).claims.person == "bo"


def test_no_ticket_opens_a_closed_room(tickets):
    ticket = tickets.issue(claims_of("ann"))
    tickets.close("R1")
    assert refused(tickets.read, ticket) == (ErrorCode.CLOSED, CloseCode.ROOM_CLOSED)


def test_what_expired_is_forgotten(tickets, clock):
    tickets.read(tickets.issue(claims_of("ann")))
    tickets.issue_resume(claims_of("ann"), "E1", "v1")
    tickets.revoke("R1", "ann")
    tickets.close("R1")
    clock.forward(13 * 60 * MINUTE)
    tickets.read(tickets.issue(claims_of("bo", session_ends_at=clock.now + timedelta(hours=1))))
    memory = [tickets._rotations, tickets._revoked, tickets._closed]
    assert [len(kept) for kept in memory] == [0, 0, 0]


def test_a_short_secret_is_refused(clock):
    with pytest.raises(ValueError, match="at least 32 bytes"):
        Tickets(b"short", clock)
