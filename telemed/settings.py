"""What the operator may set: one table, read once from the environment and the command line.

Every row is documented in docs/operations.md; a contract test keeps the two together.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from imaging.review.reach import LOOPBACK, Reach

PREFIX = "TELEMED_"


def _setting(default: Any, help_text: str, *, flag: bool = False) -> Any:
    """A row: default, meaning, and whether the command line knows it too."""
    return field(default=default, metadata={"help": help_text, "flag": flag})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Environment: TELEMED_ + the upper-case name; command line: -- + the name with dashes."""

    data: Path = _setting(Path("var"), "Folder for everything that is kept: database, bytes, secrets.", flag=True)
    host: str = _setting(
        "127.0.0.1", "Address both listeners bind to; nothing listens beyond loopback unless told to.", flag=True
    )
    port: int = _setting(8080, "Port of the web pages, the API and DICOMweb.", flag=True)
    signaling_port: int = _setting(8081, "Port of the live rooms.", flag=True)
    demo: bool = _setting(
        False, "On an empty data folder, create the demonstration hospitals, people and study.", flag=True
    )
    database_url: str = _setting("", "SQLAlchemy URL of a PostgreSQL database; empty: SQLite in the data folder.")
    public_url: str = _setting("", "Address under which browsers reach the port, behind a proxy; empty: as they ask.")
    signaling_url: str = _setting("", "Address under which browsers reach the rooms, behind a proxy (wss://…).")
    stun_urls: str = _setting("", "STUN servers for WebRTC, separated by spaces (stun:host:port).")
    turn_urls: str = _setting("", "TURN servers for WebRTC, separated by spaces (turn:host:port?transport=udp).")
    turn_secret_file: str = _setting("", "File with the secret shared with coturn (use-auth-secret).")
    workers: int = _setting(2, "Processes for decoding and parsing.")
    derivatives: bool = _setting(
        True, "Make HTJ2K copies and thumbnails of what is stored, in the background, for quick viewing."
    )
    max_part_bytes: int = _setting(2 << 30, "Largest single DICOM instance accepted, in bytes.")
    grace_days: int = _setting(30, "Deleted studies can be restored for so many days; then their bytes are erased.")
    verify_days: int = _setting(30, "All stored bytes are checked every so many days; 0: only on demand.")
    verify_mb_per_second: int = _setting(20, "What a check of the stored bytes may read, in megabytes per second.")
    review_quiet_seconds: int = _setting(
        20, "A study counts as complete for the AI review after this long without a new instance."
    )
    review_networks: str = _setting(
        LOOPBACK, "Networks (CIDR, separated by spaces) where AI reviewers may be although they are not public."
    )
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    @property
    def effective_database_url(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.data / 'telemed.db'}"

    @property
    def base_url(self) -> str:
        """The HTTP port as programs beside it reach it, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"


def _are_networks(text: str) -> bool:
    try:
        Reach.of(text)
    except ValueError:
        return False
    return True


# What a value must be beyond its type, and how to say so.
_FIT: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "port": (range(1 << 16).__contains__, "0 to 65535"),
    "signaling_port": (range(1 << 16).__contains__, "0 to 65535"),
    "database_url": (
        lambda url: url == "" or url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")),
        "postgresql+asyncpg://…",
    ),
    "workers": (lambda count: count >= 1, "1 or more"),
    "max_part_bytes": (lambda count: count >= 1, "1 or more"),
    "grace_days": (lambda days: days >= 0, "0 or more"),
    "verify_days": (lambda days: days >= 0, "0 or more"),
    "verify_mb_per_second": (lambda rate: rate >= 1, "1 or more"),
    "review_quiet_seconds": (lambda seconds: seconds >= 0, "0 or more"),
    "review_networks": (_are_networks, "networks such as 10.1.0.0/16, separated by spaces"),
    "log_level": ({"DEBUG", "INFO", "WARNING", "ERROR"}.__contains__, "DEBUG, INFO, WARNING or ERROR"),
}


class BadSetting(ValueError):
    """A value that does not fit, with the name of the setting."""


def _convert(kind: type, name: str, text: str) -> Any:
    if kind is bool:
        if text.lower() not in {"0", "1", "false", "true"}:
            raise BadSetting(f"{name}: say true or false, not {text!r}")
        return text.lower() in {"1", "true"}
    try:
        return kind(text)
    except ValueError as error:
        raise BadSetting(f"{name}: {text!r} is not a valid {kind.__name__}") from error


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment names. An unknown TELEMED_ variable is refused: it is a typing error."""
    known = {PREFIX + row.name.upper(): row for row in fields(Settings)}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise BadSetting(f"unknown settings {', '.join(unknown)}; known: {', '.join(known)}")
    return {row.name: _convert(_kind(row), name, environ[name]) for name, row in known.items() if name in environ}


def _kind(row: Any) -> type:
    assert row.default is not MISSING
    return Path if isinstance(row.default, Path) else type(row.default)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="script/server", description="Serve the cloud clinic and the imaging cloud.")
    for row in fields(Settings):
        if not row.metadata["flag"]:
            continue
        option = "--" + row.name.replace("_", "-")
        if _kind(row) is bool:
            parser.add_argument(option, action="store_true", default=argparse.SUPPRESS, help=row.metadata["help"])
        else:
            parser.add_argument(option, type=_kind(row), default=argparse.SUPPRESS, help=row.metadata["help"])
    return parser


def load(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> Settings:
    """Defaults, overridden by the environment, overridden by the command line. Raises :class:`BadSetting`."""
    given = from_environment(os.environ if environ is None else environ)
    given.update(vars(_parser().parse_args(arguments)))
    for name, (fits, words) in _FIT.items():
        # The value is not repeated: the address of a database may hold a password.
        if name in given and not fits(given[name]):
            raise BadSetting(f"{PREFIX}{name.upper()}: say {words}")
    return Settings(**given)
