"""Keys are ours: sortable, unguessable enough to appear in a URL, never a UID or a name from a file."""

from ulid import ULID


def new_id() -> str:
    """A new ULID: 26 characters, its first ten ordered by creation time in milliseconds."""
    return str(ULID())
