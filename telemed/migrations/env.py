"""Alembic's entry: runs on the connection that ``telemed.schema`` hands over."""

from typing import Any, Literal

from alembic import context

from foundation.database import UtcDateTime
from telemed.schema import METADATA


def rendered(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration must run when our own types have long changed: it names the plain column type."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        render_as_batch=True,
        render_item=rendered,
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
