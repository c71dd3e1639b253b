"""Keys that the service makes for itself at first start: files in the data folder, readable by the owner only."""

import os
import secrets
from pathlib import Path
from typing import Final

SECRET_BYTES: Final = 32


def secret(folder: Path, name: str) -> bytes:
    """The secret ``name``: 32 random bytes, made once. Two starts at the same moment agree on one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        fresh = folder / f"{name}.{secrets.token_hex(8)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
        # A link fails where the other start was first, and never leaves half a file under the name.
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_bytes()
