"""Every limit and timer of the room protocol, once. Units are in the names; tests shrink them by construction."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one client may send and what one room may hold.

    frame_bytes: a longer frame is refused with words; hard_frame_bytes: a longer one closes the socket (1009), so that
    nobody makes the server buffer more.
    outbox_*: frames that may never be dropped and wait for one peer; beyond that the peer is cut and may resume.
    journalled_together: durable commands of one room in one transaction. commands_in_line: durable commands of one peer
    that may wait for the journal before its next message is read.
    remembered_commands: answers kept per person, so that a repeated command is answered and not done twice.
    stream_*: view and pointer; what exceeds them is coalesced and not refused. signal_*: call set-up comes in bursts
    of candidates. fault_*: frames nobody could read; beyond that the socket is closed.
    """

    frame_bytes: int = 64 << 10
    hard_frame_bytes: int = 256 << 10
    participants: int = 16
    waiting: int = 16
    chat_characters: int = 2000
    chat_messages: int = 500
    mark_points: int = 500
    marks: int = 500
    states: int = 64
    entries: int = 200
    value_bytes: int = 4 << 10
    scopes: int = 100
    ring_events: int = 1000
    outbox_frames: int = 256
    outbox_bytes: int = 1 << 20
    remembered_commands: int = 256
    journalled_together: int = 64
    commands_in_line: int = 64
    commands_per_second: float = 20
    command_burst: float = 40
    stream_per_second: float = 60
    stream_burst: float = 60
    signal_per_second: float = 50
    signal_burst: float = 200
    fault_per_second: float = 2
    fault_burst: float = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """When things happen. What a client needs of it travels in ``welcome``, so nothing is compiled into a client.

    seat_ms: how long a place is kept after the link is lost. close_ms: how long an ending peer may take to read what
    is still due to it. journal_ms: an append that takes longer counts as failed. flush_ms: how long a coalesced stream
    is held back. lease_ms: how long a process that has died keeps its rooms; renew_ms: how often a live one says so.
    readmit_ms: how often everybody's right to be inside is asked again. drain_spread_ms: the time over which drained
    clients come back. backoff_ms: pauses before a client's attempts; the last one repeats.
    """

    hello_ms: int = 5_000
    tick_ms: int = 1_000
    ping_ms: int = 5_000
    dead_ms: int = 15_000
    hidden_dead_ms: int = 70_000
    seat_ms: int = 60_000
    close_ms: int = 3_000
    journal_ms: int = 10_000
    flush_ms: int = 20
    lease_ms: int = 6_000
    renew_ms: int = 2_000
    readmit_ms: int = 10_000
    drain_spread_ms: int = 10_000
    backoff_ms: tuple[int, ...] = (0, 300, 1_200, 2_700, 4_800, 7_000)
