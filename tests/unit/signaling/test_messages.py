import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.codes import ErrorCode, Refusal
from signaling.messages import BODIES, ClientKind, Message, decode, encode, err, ping
from tests.unit.signaling.fakes import MARK, START, VIEW, plain

LIMIT = 64 << 10


def read(kind, body, **envelope):
    return decode(json.dumps({"v": 1, "k": kind, "b": body} | envelope).encode(), LIMIT)


def refused(frame):
    with pytest.raises(Refusal) as caught:
        decode(frame, LIMIT)
    return caught.value


def test_every_kind_has_a_body():
    assert set(BODIES) == set(ClientKind)


def test_a_command_keeps_its_id_and_its_body():
    message = read("chat.send", {"text": "左下肺"}, id="c1")
    assert (message.kind, message.id, message.body.text) == (ClientKind.CHAT_SEND, "c1", "左下肺")


def test_members_nobody_knows_are_ignored():
    assert read("bye", {"later": 1}, future=True, **{"from": "mallory", "seq": 7}).kind is ClientKind.BYE


def test_a_missing_body_is_an_empty_one():
    assert decode(b'{"v":1,"k":"control.request"}', LIMIT).kind is ClientKind.CONTROL_REQUEST


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"hello",
        b"[]",
        b'{"v":1}',
        b'{"v":1,"k":"chat.send","b":{"text":"\xff"}}',
        b'{"v":1,"k":"chat.send","b":{"text":"\\ud800"}}',
        b'{"v":1,"k":"chat.send","b":' + b"[" * 5000,
        b'{"v":1,"k":"chat.send","b":null}',
        b'{"v":1,"k":"chat.send","id":"","b":{"text":"x"}}',
        b'{"v":1,"k":"chat.send","id":"' + b"x" * 65 + b'","b":{"text":"x"}}',
    ],
)
def test_a_frame_that_is_no_message_is_invalid(frame):
    assert refused(frame).code is ErrorCode.INVALID


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("chat.send", {"text": "a\x00b"}),
        ("mark.add", {"mark": MARK | {"frame": 0}}),
        ("mark.add", {"mark": MARK | {"kind": "spline"}}),
        ("mark.add", {"mark": MARK | {"points": []}}),
        ("mark.add", {"mark": MARK | {"points": [[1, 2, 3]]}}),
        ("mark.add", {"mark": MARK | {"color": "url(javascript:alert)"}}),
        ("mark.add", {"mark": MARK | {"sop_instance_uid": "1.2\n"}}),
        ("view.set", VIEW | {"zoom": 0}),
        ("view.set", VIEW | {"pan": [1e300, 0]}),
        ("media.set", {"audio": "yes", "video": True, "screen": True}),
        ("resume", {"resume_token": "t", "epoch": "E", "seq": -1}),
    ],
)
def test_a_body_outside_its_bounds_is_invalid_and_names_the_command(kind, body):
    refusal = refused(json.dumps({"v": 1, "k": kind, "id": "c9", "b": body}).encode())
    assert (refusal.code, refusal.re) == (ErrorCode.INVALID, "c9")


@pytest.mark.parametrize("envelope", [{"v": 2, "k": "bye"}, {"v": 1, "k": "room.explode"}])
def test_another_version_or_an_unknown_kind_is_unsupported(envelope):
    refusal = refused(json.dumps(envelope | {"id": "c3"}).encode())
    assert (refusal.code, refusal.re) == (ErrorCode.UNSUPPORTED, "c3")


def test_a_frame_over_the_limit_is_too_large():
    assert refused(b" " * (LIMIT + 1)).code is ErrorCode.TOO_LARGE


def test_a_view_of_an_image_without_a_window_is_read():
    assert read("view.set", VIEW | {"window_center": None, "window_width": None}).body.window_center is None


def test_a_browsers_candidate_keeps_the_browsers_spelling():
    candidate = {"candidate": "candidate:1", "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "u"}
    body = read("signal", {"to": "bo", "candidate": candidate}).body
    assert msgspec.to_builtins(body) == {"to": "bo", "candidate": candidate}


def test_a_refusal_tells_its_code_whether_to_repeat_and_a_sentence():
    message = plain(err(Refusal(ErrorCode.RATE_LIMITED), "c1"))
    assert message["re"] == "c1"
    assert message["b"] == {"code": "RATE_LIMITED", "temporary": True, "detail": "Too many commands; wait a moment."}


def test_members_that_are_not_set_are_not_written():
    assert json.loads(encode(ping(START))) == {"v": 1, "k": "ping", "b": {"t": int(START.timestamp() * 1000)}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(["to", "text", "mark", "id", "t", "x"])


def outcome(frame):
    try:
        return decode(frame, LIMIT)
    except Refusal as refusal:
        return refusal


@given(st.binary(max_size=200) | st.builds(lambda value: json.dumps(value).encode(), JSON))
def test_whatever_arrives_is_read_or_refused(frame):
    assert isinstance(outcome(frame), Message | Refusal)


@given(st.sampled_from(list(ClientKind)), st.dictionaries(MEMBERS, JSON))
def test_whatever_body_a_known_kind_has_is_read_or_refused(kind, body):
    found = outcome(json.dumps({"v": 1, "k": kind, "b": body}).encode())
    assert found.code is ErrorCode.INVALID if isinstance(found, Refusal) else found.kind is kind
