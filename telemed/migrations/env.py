"""Alembic's entry: runs on the connection that ``telemed.schema`` hands over."""

from alembic import context

from telemed.schema import METADATA


def run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
