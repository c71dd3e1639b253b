"""The declarative base that every table of ``telemed`` shares: one metadata, one naming of constraints."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, String
from sqlalchemy.orm import DeclarativeBase

from foundation.database import UtcDateTime, new_metadata

# A ULID of ours (foundation.ids).
KEY: Final = String(26)
# A SHA-256 in hexadecimal: what is kept of a secret.
FINGERPRINT: Final = String(64)
HOSPITAL_CODE: Final = String(32)


class Base(DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = {datetime: UtcDateTime(), dict[str, Any]: JSON(), list[Any]: JSON()}
