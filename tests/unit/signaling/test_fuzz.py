"""Whatever a participant sends, the room answers or ignores it: it never raises and never breaks its own snapshot."""

import json
from random import Random

import pytest

from signaling.codes import Refusal
from signaling.limits import Limits
from signaling.messages import ClientKind, decode
from tests.unit.signaling.fakes import HONEST, MovableClock, arrival, new_room, plain

ODD = [None, True, -1, 0, 1e308, 2**70, "", "\x00", "💀" * 40, "bo", "ann", [], [[]], [[1, 2]], {}, {"id": "m1"}]


def damaged(draw, value):
    """``value`` with some of its parts replaced by something odd."""
    if draw.random() < 0.15:
        return draw.choice(ODD)
    if isinstance(value, dict):
        return {key: damaged(draw, part) for key, part in value.items() if draw.random() > 0.03}
    if isinstance(value, list):
        return [damaged(draw, part) for part in value]
    return value


@pytest.mark.parametrize("seed", range(20))
def test_the_room_survives_any_message(seed):
    draw, clock = Random(seed), MovableClock()
    room = new_room(limits=Limits(command_burst=1e9, signal_burst=1e9))
    people = ["ann", "bo"]
    understood = refused = 0
    for _ in range(500):
        who = draw.choice(people)
        if room.handle(f"link-{who}", decode(b'{"v":1,"k":"pong","b":{"t":0}}', 99), clock()).outputs == ():
            room.join(arrival(who, issued_at=clock.forward(1)), clock())
        kind = draw.choice([kind for kind in ClientKind if kind != "bye" or draw.random() < 0.1])
        envelope = {"v": 1, "k": kind, "id": f"c{draw.randrange(300)}", "b": HONEST.get(kind, {})}
        frame = json.dumps(damaged(draw, envelope)).encode()
        try:
            message = decode(frame, 64 << 10)
        except Refusal as refusal:
            refused += 1
            room.fault(f"link-{who}", refusal, clock.forward(600))
            continue
        understood += 1
        proposal = room.handle(f"link-{who}", message, clock.forward(600))
        if proposal.events:
            room.commit(proposal)
        room.flush()
        plain(room.snapshot())
    assert understood > 50
    assert refused > 50
