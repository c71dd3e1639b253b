"""What a participant may do: one table from the kind of a command to its rule.

Pure. A rule looks at the state and returns an Effect or raises a Refusal before anything has changed. Durable facts are
only proposed; keyed state is set at once, because it is never journalled.
"""

from collections.abc import Mapping
from typing import Final

from signaling.messages import ClientKind
from signaling.pace import Pace
from signaling.rules import hosting, marking, media, showing
from signaling.turn import Command

COMMANDS: Final[Mapping[ClientKind, Command]] = {
    ClientKind.CHAT_SEND: Command(marking.chat_send, "chat", durable=True, scoped=True),
    ClientKind.MARK_ADD: Command(marking.mark_add, "mark", durable=True, scoped=True),
    ClientKind.MARK_EDIT: Command(marking.mark_edit, "mark", durable=True, scoped=True),
    ClientKind.MARK_REMOVE: Command(marking.mark_remove, "mark", durable=True, scoped=True),
    ClientKind.VIDEO_MARK_ADD: Command(marking.mark_add, "mark", durable=True, scoped=True),
    ClientKind.MARKS_LOCK: Command(marking.marks_lock, "mark", durable=True, scoped=True),
    ClientKind.CONTROL_REQUEST: Command(showing.control_request, "present", durable=True),
    ClientKind.CONTROL_GRANT: Command(showing.control_grant, "present", durable=True),
    ClientKind.CONTROL_RELEASE: Command(showing.control_release, "present", durable=True),
    ClientKind.VIEW_SET: Command(showing.view_set, "present", Pace.STREAM, scoped=True),
    ClientKind.FOLLOW_SET: Command(showing.follow_set, None),
    ClientKind.POINTER_MOVE: Command(showing.pointer, "point", Pace.STREAM, scoped=True),
    ClientKind.POINTER_HIDE: Command(showing.pointer, "point", Pace.STREAM, scoped=True),
    ClientKind.STATE_SET: Command(hosting.state_set, "note", Pace.STREAM, scoped=True),
    ClientKind.ENTRY_SET: Command(hosting.entry_set, "note", durable=True),
    ClientKind.LOBBY_ADMIT: Command(hosting.lobby_admit, "host", durable=True),
    ClientKind.LOBBY_RETURN: Command(hosting.lobby_return, "host", durable=True),
    ClientKind.LOBBY_REMOVE: Command(hosting.lobby_remove, "host", durable=True),
    ClientKind.GRANTS_SET: Command(hosting.grants_set, "host", durable=True),
    ClientKind.SCOPE_SET: Command(hosting.scope_set, "host", durable=True),
    ClientKind.CONSENT_GIVE: Command(media.consent_give, None, durable=True, outside=True),
    ClientKind.CONSENT_WITHDRAW: Command(media.consent_withdraw, None, durable=True, outside=True),
    ClientKind.RECORD_SET: Command(media.record_set, "record", durable=True, scoped=True),
    ClientKind.MEDIA_MODE: Command(media.media_mode, "host", durable=True),
    ClientKind.MEDIA_SET: Command(media.media_set, "media", scoped=True),
    ClientKind.QUALITY_REPORT: Command(media.quality_report, "media"),
    ClientKind.SIGNAL: Command(media.signal, "media", Pace.SIGNAL, scoped=True),
}


def is_durable(kind: ClientKind) -> bool:
    command = COMMANDS.get(kind)
    return command is not None and command.durable


def is_stream(kind: ClientKind) -> bool:
    """May pass what waits for the journal: only the newest of it matters."""
    command = COMMANDS.get(kind)
    return command is not None and command.pace is Pace.STREAM
