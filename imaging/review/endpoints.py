"""Registration: which models exist, where they listen, what they want and what they may say."""

import base64
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from foundation.ids import new_id
from imaging.review import rules
from imaging.review.errors import EndpointUnknown
from imaging.review.outside import parse_profile
from imaging.review.tables import ReviewEndpoint
from imaging.review.tokens import hashed

KEY_PREFIX = "aikey_"
SECRET_PREFIX = "whsec_"  # noqa: S105 - the public mark of Standard Webhooks secrets
DEADLINE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class NewEndpoint:
    """What an administrator says about a model. finding_codes: "SYSTEM:code" each; rules: see imaging.review.rules.

    deid: what it may see beyond the basic profile (imaging.dicom.deidentify.Profile).
    """

    name: str
    vendor: str
    model_name: str
    model_version: str
    url: str
    rules: dict[str, Any]
    finding_codes: list[str]
    deadline_seconds: int = DEADLINE_SECONDS
    deid: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A registered model, without what must stay secret."""

    endpoint_id: str
    name: str
    vendor: str
    model_name: str
    model_version: str
    url: str
    rules: dict[str, Any]
    finding_codes: list[str]
    mode: str
    enabled: bool
    deadline_seconds: int
    deid: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Registered:
    """secret: signs what we send (whsec_…). key: the vendor shows it for tokens. Neither can be read again."""

    endpoint: Endpoint
    secret: str
    key: str


async def register(session: AsyncSession, new: NewEndpoint, now: datetime) -> Registered:
    """Whether the address may be reached is asked before. Raises ``RulesInvalid`` or ``ProfileInvalid``."""
    rules.parse(new.rules)
    parse_profile(new.deid)
    secret = SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    row = ReviewEndpoint(
        id=new_id(),
        name=new.name,
        vendor=new.vendor,
        model_name=new.model_name,
        model_version=new.model_version,
        url=new.url,
        secret=secret,
        key_hash=hashed(key),
        rules=new.rules,
        finding_codes=new.finding_codes,
        mode="live",
        enabled=True,
        deadline_seconds=new.deadline_seconds,
        deid=new.deid,
        created_at=now,
    )
    session.add(row)
    return Registered(_endpoint(row), secret, key)


async def all_endpoints(session: AsyncSession) -> list[Endpoint]:
    return [_endpoint(row) for row in await session.scalars(select(ReviewEndpoint).order_by(ReviewEndpoint.id))]


async def enable(session: AsyncSession, endpoint_id: str, enabled: bool) -> Endpoint:
    """A disabled endpoint gets no new jobs and is sent nothing; what waits for it is kept until its deadline."""
    row = await session.get(ReviewEndpoint, endpoint_id)
    if row is None:
        raise EndpointUnknown()
    row.enabled = enabled
    return _endpoint(row)


def _endpoint(row: ReviewEndpoint) -> Endpoint:
    return Endpoint(
        row.id,
        row.name,
        row.vendor,
        row.model_name,
        row.model_version,
        row.url,
        row.rules,
        row.finding_codes,
        row.mode,
        row.enabled,
        row.deadline_seconds,
        row.deid,
        row.created_at,
    )
