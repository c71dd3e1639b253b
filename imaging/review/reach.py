"""Which addresses our requests to vendors may reach. An endpoint's address is a stranger's word: without a bound it
could make us knock at doors inside the hospital's own network.

Reached are public addresses over https, and the networks the operator names, over http, too. A name is looked up for
each connection and the connection goes to the very address that was checked.
"""

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from imaging.review.errors import UrlRefused

LOOPBACK: Final = "127.0.0.0/8 ::1/128"


class OutOfReach(OSError):
    """A name that leads to no address we may reach."""


@dataclass(frozen=True, slots=True)
class Reach:
    """networks: reached although they are not public."""

    networks: tuple[IPv4Network | IPv6Network, ...] = tuple(map(ip_network, LOOPBACK.split()))

    @classmethod
    def of(cls, text: str) -> "Reach":
        """From networks in CIDR form, separated by blanks. Raises ValueError."""
        return cls(tuple(ip_network(network) for network in text.split()))

    def named(self, address: str) -> bool:
        """Is it in a network that the operator named?"""
        return any(_plain(address) in network for network in self.networks)

    def permits(self, address: str) -> bool:
        return _plain(address).is_global or self.named(address)

    def check(self, url: str) -> None:
        """Raises :class:`UrlRefused` for an address that cannot be one of a vendor's service."""
        if not self._fits(url):
            raise UrlRefused("Register an https address without user information; see docs/ai-hook.md.")

    def _fits(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if not host or port == 0 or "@" in parts.netloc or parts.scheme not in {"http", "https"}:
            return False
        literal = _literal(host)
        if literal is not None and not self.permits(literal):
            return False
        inside = self.named(literal or "127.0.0.1") if literal or host == "localhost" else False
        return parts.scheme == "https" or inside


LOOPBACK_ONLY: Final = Reach()


class BoundResolver(AbstractResolver):
    """Looks names up and drops what may not be reached. Raises OutOfReach when nothing is left."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._names = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [one for one in await self._names.resolve(host, port, family) if self._reach.permits(one["host"])]
        if not found:
            raise OutOfReach("the name leads to no address that may be reached")
        return found

    async def close(self) -> None:
        await self._names.close()


def _literal(host: str) -> str | None:
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def _plain(address: str) -> IPv4Address | IPv6Address:
    """The address itself, also where it is written as IPv4 inside IPv6."""
    found = ip_address(address.split("%", maxsplit=1)[0])
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
