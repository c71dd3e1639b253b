"""Guests wait until somebody lets them in, hear nothing meanwhile, and may be sent back or out."""

from datetime import timedelta

import pytest

from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.limits import Limits
from tests.unit.signaling.fakes import CONSENT, START, Table, arrival, new_room, plain

GUEST = {"waits": True, "grants": {"chat", "media"}, "role": "guest"}


def kinds(messages):
    return [message["k"] for message in messages]


@pytest.fixture
def table():
    table = Table("ann")
    table.say("ann", "chat.send", {"text": "not for guests"})
    return table


def test_a_guest_waits_and_the_host_sees_who_is_there(table):
    sent = table.enter("guest", **GUEST)
    greeting = sent["guest"][0]["b"]
    assert (greeting["waiting"], greeting["snapshot"]["chat"], greeting["snapshot"]["seq"]) == (True, [], 0)
    assert [one["id"] for one in greeting["snapshot"]["participants"]] == ["guest"]
    assert (sent["ann"][0]["b"]["name"], sent["ann"][0]["b"]["waiting"]) == ("Dr guest", True)


def test_whoever_waits_hears_nothing_and_may_do_nothing(table):
    table.enter("guest", **GUEST)
    assert table.say("ann", "chat.send", {"text": "secret"})["guest"] == []
    assert table.refusal("guest", "chat.send", {"text": "let me in"}) == ErrorCode.WAITING
    assert table.refusal("ann", "signal", {"to": "guest", "candidate": None}) == ErrorCode.NOT_FOUND


def test_an_admitted_guest_is_told_everything_and_belongs_to_the_room(table):
    table.enter("guest", **GUEST)
    sent = table.say("ann", "lobby.admit", {"person": "guest"})
    greeting = sent["guest"][0]["b"]
    assert (greeting["waiting"], [line["b"]["text"] for line in greeting["snapshot"]["chat"]]) == (
        False,
        ["not for guests"],
    )
    assert greeting["snapshot"]["seq"] == table.room.seq
    assert [m["b"]["waiting"] for m in sent["ann"] if m["k"] == "participant"] == [False]
    assert kinds(table.say("ann", "chat.send", {"text": "welcome"})["guest"]) == ["chat.sent"]


def test_a_guest_may_be_admitted_before_coming(table):
    table.say("ann", "lobby.admit", {"person": "guest"})
    assert table.enter("guest", **GUEST)["guest"][0]["b"]["waiting"] is False


def test_whoever_is_sent_back_waits_again_also_when_resuming(table):
    table.enter("bo")
    sent = table.say("ann", "lobby.return", {"person": "bo"})
    assert (kinds(sent["bo"])[0], sent["bo"][0]["b"]["waiting"]) == ("welcome", True)
    assert "lobby.returned" not in kinds(sent["bo"])
    table.room.leave("link-bo", START)
    again = table.room.join(arrival("bo", visit="link-bo", since=("E1", 1)), START)
    assert plain(again[0].message)["b"]["waiting"] is True


def test_a_removed_person_is_out_and_old_tokens_are_worthless(table):
    table.enter("bo")
    sent = table.say("ann", "lobby.remove", {"person": "bo", "reason": "not expected"})
    assert table.closed == {"link-bo": CloseCode.REMOVED}
    assert kinds(sent["ann"]) == ["participant", "lobby.removed", "ok"]
    for issued_at in (None, START):
        with pytest.raises(Refusal) as caught:
            table.room.join(arrival("bo", issued_at=issued_at), START)
        assert (caught.value.code, caught.value.close) == (ErrorCode.AUTH_REVOKED, CloseCode.REMOVED)


def test_a_removed_person_with_a_new_ticket_waits_at_the_door(table):
    table.enter("bo")
    table.say("ann", "lobby.remove", {"person": "bo"})
    outputs = table.room.join(arrival("bo", issued_at=START + timedelta(seconds=1)), START)
    assert plain(outputs[0].message)["b"]["waiting"] is True


def test_a_removal_outlives_the_process(table):
    table = Table("ann", "bo")
    journal = []
    commit = table.room.commit
    table.room.commit = lambda *proposals: journal.extend(e for p in proposals for e in p.events) or commit(*proposals)
    table.say("ann", "lobby.remove", {"person": "bo"})
    with pytest.raises(Refusal):
        new_room(journal).join(arrival("bo"), START)


@pytest.mark.parametrize("kind", ["lobby.return", "lobby.remove"])
def test_a_host_is_not_put_out_by_themselves_and_nobody_who_is_not_there(table, kind):
    assert table.refusal("ann", kind, {"person": "ann"}) == ErrorCode.BAD_STATE
    assert table.refusal("ann", kind, {"person": "zoe"}) == ErrorCode.NOT_FOUND


def test_a_crowd_outside_does_not_fill_the_room():
    table = Table("ann", limits=Limits(participants=2, waiting=1))
    table.enter("guest", **GUEST)
    with pytest.raises(Refusal) as caught:
        table.enter("other", **GUEST)
    assert caught.value.code is ErrorCode.ROOM_FULL
    table.enter("bo")
    assert table.refusal("ann", "lobby.admit", {"person": "guest"}) == ErrorCode.ROOM_FULL


# Rights


def test_a_host_changes_what_somebody_may_do_and_it_holds_at_once(table):
    table.enter("bo")
    sent = table.say("ann", "grants.set", {"person": "bo", "grants": ["point", "chat"]})
    assert [m["b"]["grants"] for m in sent["bo"] if m["k"] == "participant"] == [["chat", "point"]]
    assert table.refusal("bo", "control.request") == ErrorCode.NOT_ALLOWED
    assert table.say("bo", "chat.send", {"text": "x"})["ann"][0]["k"] == "chat.sent"
    assert table.refusal("ann", "grants.set", {"person": "ann", "grants": []}) == ErrorCode.BAD_STATE


# Consent and recording


def test_no_media_before_consent(table):
    table.enter("bo", consent="2026-1")
    media = {"audio": True, "video": True, "screen": False}
    assert table.refusal("bo", "media.set", media) == ErrorCode.CONSENT_MISSING
    assert table.refusal("bo", "signal", {"to": "ann", "candidate": None}) == ErrorCode.CONSENT_MISSING
    table.say("bo", "consent.give", CONSENT | {"version": "2025-9"})
    assert table.refusal("bo", "media.set", media) == ErrorCode.CONSENT_MISSING
    table.say("bo", "consent.give", CONSENT)
    assert kinds(table.say("bo", "media.set", media)["bo"]) == ["participant", "ok"]


def test_a_guest_agrees_while_waiting(table):
    table.enter("guest", **GUEST, consent="2026-1")
    greeting, answer = table.say("guest", "consent.give", CONSENT)["guest"]
    assert (greeting["b"]["waiting"], list(greeting["b"]["snapshot"]["consents"]), answer["k"]) == (
        True,
        ["guest"],
        "ok",
    )
    assert table.room.snapshot()["consents"]["guest"]["media"]["version"] == "2026-1"


def test_recording_needs_everybodys_consent_and_ends_when_one_is_withdrawn(table):
    table.enter("bo")
    table.say("ann", "consent.give", CONSENT)
    assert table.refusal("ann", "record.set", {"state": "on"}) == ErrorCode.CONSENT_MISSING
    table.say("bo", "consent.give", CONSENT)
    assert kinds(table.say("ann", "record.set", {"state": "on"})["bo"]) == ["record.changed"]
    sent = table.say("bo", "consent.withdraw", {"purpose": "record"})
    assert [(m["k"], m["seq"]) for m in sent["ann"]] == [("record.changed", 5), ("consent.withdrawn", 6)]
    assert table.room.snapshot()["recording"] is None


def test_who_has_not_agreed_to_a_running_recording_waits_until_they_do(table):
    table.say("ann", "consent.give", CONSENT)
    table.say("ann", "record.set", {"state": "on"})
    assert table.enter("bo")["bo"][0]["b"]["waiting"] is True
    sent = table.say("bo", "consent.give", CONSENT)
    assert sent["bo"][0]["b"]["waiting"] is False


def test_a_fault_of_the_recorder_is_seen_by_all_and_only_while_recording(table):
    assert table.refusal("ann", "record.set", {"state": "fault"}) == ErrorCode.BAD_STATE
    table.say("ann", "consent.give", CONSENT)
    table.say("ann", "record.set", {"state": "on"})
    table.say("ann", "record.set", {"state": "fault", "reason": "disk"})
    assert table.room.snapshot()["recording"]["reason"] == "disk"
