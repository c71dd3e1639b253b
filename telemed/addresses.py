"""The addresses we tell a client, so that it never guesses one."""

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Addresses:
    """public_url, signaling_url: configured for a proxy; empty: the host that the client itself used."""

    public_url: str
    signaling_url: str
    signaling_port: int

    def base(self, request: web.Request) -> str:
        """``https://host`` without a slash at the end."""
        return self.public_url.rstrip("/") or f"{request.scheme}://{request.host}"

    def signaling(self, request: web.Request) -> str:
        """``wss://host:port`` without a slash at the end."""
        if self.signaling_url:
            return self.signaling_url.rstrip("/")
        scheme = "wss" if request.scheme == "https" else "ws"
        return f"{scheme}://{request.url.host}:{self.signaling_port}"

    def room(self, request: web.Request, room: str) -> str:
        return f"{self.signaling(request)}/rooms/{room}"
