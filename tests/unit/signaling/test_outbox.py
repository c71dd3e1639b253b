import asyncio

from signaling.limits import Limits
from signaling.outbox import Outbox


def drained(outbox):
    frames = []
    while (frame := outbox.take_now()) is not None:
        frames.append(frame)
    return frames


def test_frames_in_line_keep_their_order():
    outbox = Outbox(Limits())
    for frame in (b"1", b"2", b"3"):
        outbox.put(frame, None)
    assert drained(outbox) == [b"1", b"2", b"3"]


def test_only_the_newest_of_a_slot_waits_and_it_waits_at_the_end():
    outbox = Outbox(Limits())
    outbox.put(b"view 1", ("state", "view"))
    outbox.put(b"control changed", None)
    outbox.put(b"view 2", ("state", "view"))
    assert drained(outbox) == [b"control changed", b"view 2"]


def test_slots_of_different_keys_and_authors_wait_side_by_side():
    outbox = Outbox(Limits())
    for slot in (("state", "view"), ("pointer", "ann"), ("pointer", "bo")):
        outbox.put(repr(slot).encode(), slot)
    assert len(drained(outbox)) == 3


def test_too_many_frames_in_line_find_no_room():
    outbox = Outbox(Limits(outbox_frames=2))
    assert [outbox.put(b"x", None) for _ in range(3)] == [True, True, False]


def test_too_many_bytes_in_line_find_no_room():
    outbox = Outbox(Limits(outbox_bytes=10))
    assert outbox.put(b"x" * 8, None)
    assert not outbox.put(b"x" * 3, None)


def test_what_was_taken_makes_room():
    outbox = Outbox(Limits(outbox_frames=1, outbox_bytes=1))
    for _ in range(3):
        assert outbox.put(b"x", None)
        assert outbox.take_now() == b"x"


def test_slots_need_no_room_in_line():
    outbox = Outbox(Limits(outbox_frames=0, outbox_bytes=0))
    assert outbox.put(b"welcome" * 1000, ("welcome",))
    assert not outbox.put(b"x", None)


async def test_the_writer_waits_for_the_next_frame():
    outbox = Outbox(Limits())
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    outbox.put(b"x", None)
    assert await taking == b"x"


async def test_a_closed_outbox_gives_what_waits_and_then_ends():
    outbox = Outbox(Limits())
    outbox.put(b"x", None)
    outbox.close()
    assert outbox.put(b"too late", None)
    assert [await outbox.take(), await outbox.take()] == [b"x", None]


async def test_closing_wakes_the_writer():
    outbox = Outbox(Limits())
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.close()
    assert await taking is None
