"""Which STUN and TURN servers a browser may use, with credentials that soon expire. Pure.

Source: the TURN REST scheme that coturn implements (``use-auth-secret``): the user name is the expiry and an id, the
password its HMAC-SHA1 under a secret that both sides know.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class IceConfig:
    """turn_secret: coturn's ``static-auth-secret``; None for TURN servers that need no credentials."""

    stun_urls: tuple[str, ...] = ()
    turn_urls: tuple[str, ...] = ()
    turn_secret: bytes | None = None
    credential_life: timedelta = timedelta(hours=12)


class IceServer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RTCIceServer, W3C WebRTC section 4.2.4."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


def ice_servers(config: IceConfig, person: str, now: datetime) -> list[IceServer]:
    """The ``iceServers`` of one person's connections; empty when nothing is configured (one network, no relay)."""
    servers = [IceServer(urls=list(config.stun_urls))] if config.stun_urls else []
    if config.turn_urls:
        servers.append(_turn(config, person, now))
    return servers


def _turn(config: IceConfig, person: str, now: datetime) -> IceServer:
    urls = list(config.turn_urls)
    if config.turn_secret is None:
        return IceServer(urls=urls)
    username = f"{int((now + config.credential_life).timestamp())}:{person}"
    # SHA-1 is what the scheme prescribes; as an HMAC key function it is not weakened by collisions.
    digest = hmac.new(config.turn_secret, username.encode(), hashlib.sha1).digest()
    return IceServer(urls=urls, username=username, credential=base64.b64encode(digest).decode())
