"""docs/protocol.md and the code name the same things: kinds, error codes, close codes, grants and limits."""

import re
from pathlib import Path
from typing import get_args

import pytest

from signaling.bodies import Grant, Mark, Track, VideoMark, View
from signaling.codes import CLOSES, ERRORS, CloseCode, ErrorCode
from signaling.commands import COMMANDS
from signaling.limits import Limits, Timers
from signaling.messages import FEATURES, ClientKind, EventKind, ServerKind
from signaling.seating import LIMITS_TOLD, TIMERS_TOLD
from telemed.consultations.preflight import Readiness

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")
GRANT_OF_ROW = {"be the presenter": "present", "–": None}

OF_THE_OPENING = {ServerKind.WELCOME, ServerKind.PING, ServerKind.DRAIN, ServerKind.REDIRECT}


def section(title):
    return DOCUMENT.split(f"\n## {title}")[1].split("\n## ")[0]


def rows(title):
    """The tables of a section, as lists of cells without their heads."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in {"k", "code"} and not row[0].startswith("---")]


def kinds(title):
    return {kind for row in rows(title) for kind in re.findall(r"`([a-z._]+)`", row[0])}


def test_opening_lists_what_is_said_there_and_by_whom():
    said = {row[0].strip("`"): row[1] for row in rows("Opening")}
    from_client = {kind for kind, direction in said.items() if direction == "client →"}
    assert from_client == set(ClientKind) - set(COMMANDS)
    assert set(said) - from_client == OF_THE_OPENING


def test_commands_are_exactly_the_command_table_with_its_grants():
    documented = {row[0].strip("`"): GRANT_OF_ROW.get(row[2], row[2]) for row in rows("Commands")}
    assert documented == {kind.value: command.grant for kind, command in COMMANDS.items()}
    assert set(documented.values()) - {None} == set(get_args(Grant))


def test_durable_effects_are_documented_for_exactly_the_durable_commands():
    durable = {row[0].strip("`") for row in rows("Commands") if "durable" in row[3]}
    assert durable == {kind.value for kind, command in COMMANDS.items() if command.durable}


def test_events_are_exactly_what_the_server_sends():
    elsewhere = OF_THE_OPENING | {ServerKind.OK, ServerKind.ERR}
    assert kinds("Events") == set(EventKind) | (set(ServerKind) - elsewhere)
    assert "`ok {re}`" in section("Commands")
    assert "`err {re, b: {code, temporary, detail}}`" in section("Commands")


def test_error_codes_are_exactly_those_of_the_code():
    documented = {row[0].strip("`"): row[1] == "yes" for row in rows("Error codes")}
    assert documented == {code.value: ERRORS[code].temporary for code in ErrorCode}


def test_close_codes_are_exactly_those_of_the_code():
    assert {int(row[0]) for row in rows("Close codes")} == set(CloseCode) == set(CLOSES)


@pytest.mark.parametrize("code", CloseCode)
def test_a_close_reason_fits_its_frame(code):
    assert 0 < len(code.sentence.encode()) <= 123


@pytest.mark.parametrize(
    ("name", "shape"), [("View", View), ("Mark", Mark), ("VideoMark", VideoMark), ("Track", Track)]
)
def test_shapes_have_the_documented_members(name, shape):
    line = re.search(rf"^{name} = `\{{(.*)\}}`", DOCUMENT, re.MULTILINE).group(1)
    documented = re.findall(r"(?:^|, )([a-z_]+)(?=[:,]|$)", re.sub(r"\[[^\]]*\]+", "", line))
    assert documented == list(shape.__struct_fields__)


def test_features_are_named():
    said = DOCUMENT.split("the server's are ")[1].split(". Because")[0]
    assert re.findall(r"`([a-z_]+)`", said) == list(FEATURES)


def test_answers_to_a_preflight_are_those_of_the_code():
    said = DOCUMENT.split("`code` is ")[1].split(";")[0]
    assert re.findall(r"`([A-Z_]+)`", said) == list(Readiness)


def test_what_belongs_to_no_scope_is_listed():
    listed = DOCUMENT.split("All but ")[1].split("belong to a scope")[0]
    patterns = [name.replace("*", "") for name in re.findall(r"`([a-z.*_/]+)`", listed)]
    unscoped = {kind for kind, command in COMMANDS.items() if not command.scoped and kind != ClientKind.ENTRY_SET}
    assert unscoped == {kind for kind in COMMANDS if any(kind.startswith(start) for start in patterns)}


def test_what_may_be_said_outside_is_listed():
    listed = DOCUMENT.split("may only send ")[1].split("; everything else")[0]
    outside = {kind for kind, command in COMMANDS.items() if command.outside}
    assert set(re.findall(r"`([a-z.]+)`", listed)) == outside | {ClientKind.PONG, ClientKind.BYE}


def test_told_timers_and_limits_are_documented():
    assert f"`timers` = `{{{', '.join(TIMERS_TOLD)}: []}}`" in DOCUMENT
    assert f"`limits` = `{{{', '.join(LIMITS_TOLD)}}}`" in DOCUMENT


def test_numbers_are_those_of_the_code():
    limits, timers = Limits(), Timers()
    sentences = [
        f"Commands {limits.commands_per_second}/s with bursts of {limits.command_burst}",
        f"`signal` {limits.signal_per_second}/s with bursts of {limits.signal_burst}",
        f"pointer and view {limits.stream_per_second}/s",
        f"bursts of {limits.fault_burst} and {limits.fault_per_second}/s",
        f"at most {limits.participants} participants",
        f"at most {limits.outbox_frames} messages that may not be dropped, or {limits.outbox_bytes >> 20} MiB",
        f"the last {limits.ring_events} durable events",
        f"after {timers.dead_ms // 1000} s without a word, a hidden one after {timers.hidden_dead_ms // 1000} s",
        f"held {timers.seat_ms // 1000} s after the link is lost",
        f"holds at most {limits.frame_bytes >> 10} KiB",
        f"one over {limits.hard_frame_bytes >> 10} KiB",
        f"(1–{limits.chat_characters} characters",
        f"1–{limits.mark_points} points",
        f"The last {limits.remembered_commands} answers",
        f"`chat` the last {limits.chat_messages} messages",
        f"at most {limits.marks} marks",
        f"At most {limits.waiting} wait",
        f"at most {limits.scopes} scopes",
        f"at most {limits.value_bytes} bytes",
        f"at most {limits.states} keyed states and {limits.entries} entries",
        f"removed within {timers.readmit_ms // 1000} s",
        f"within {timers.hello_ms // 1000} s",
    ]
    flat = " ".join(DOCUMENT.split())
    assert [sentence for sentence in sentences if sentence not in flat] == []
