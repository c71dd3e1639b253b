"""What the reviewer is told at its start."""

import json
from dataclasses import dataclass
from pathlib import Path


class ConfigInvalid(Exception):
    """The file cannot be used: the message says why."""


@dataclass(frozen=True, slots=True)
class Config:
    """secret: whsec_…, checks the platform's signatures. key: asks for job tokens. base_url: the only place to go to.

    port: where to listen on 127.0.0.1.
    """

    secret: str
    key: str
    base_url: str
    port: int


def load(path: Path, port: int | None) -> Config:
    """From a JSON object with these members; ``port`` given on the command line wins. Raises ``ConfigInvalid``."""
    try:
        members = json.loads(path.read_text(encoding="utf-8"))
        listen = port if port is not None else int(members["port"])
        return Config(str(members["secret"]), str(members["key"]), str(members["base_url"]).rstrip("/"), listen)
    except KeyError as error:
        raise ConfigInvalid(f"{path}: {error} is missing") from error
    except (OSError, ValueError, TypeError) as error:
        raise ConfigInvalid(f"{path}: {error}") from error
