"""Structured logs on standard error: one JSON line per event, only fields that name no patient."""

import logging
import sys
from typing import Any

import structlog


def configure(level: str) -> None:
    """Route every logger through one renderer; ``extra`` fields become members of the line."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # What they say below warnings holds addresses, paths and parameters of single requests, and so patients' names.
    for noisy in ("aiohttp", "aiosqlite", "alembic", "asyncio", "sqlalchemy", "websockets"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
