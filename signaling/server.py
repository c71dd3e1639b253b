"""The signalling server: sockets in, rooms in memory, and a calm end.

``async with SignalingServer(...) as server:`` listens until the block ends, then drains. All methods are called from
the event loop the server runs in; those that are not coroutines never wait.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Collection
from http import HTTPStatus
from types import TracebackType
from typing import Self
from weakref import WeakValueDictionary

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from foundation.clock import Clock, utc_now
from signaling.codes import CloseCode, ErrorCode, Refusal
from signaling.door import Door, Entry, refused_upgrade, room_of
from signaling.guard import Admission, Elsewhere, Journal, Lease, Leases, SpentTickets
from signaling.host import Host, open_host
from signaling.limits import Limits, Timers
from signaling.messages import encode, err, redirect
from signaling.peer import Peer
from signaling.seating import Arrival
from signaling.tickets import Tickets

log = logging.getLogger(__name__)

_HEALTH_PATH = "/healthz"
_QUEUED_FRAMES = 8


class SignalingServer:
    """Rooms on one port.

    port: 0 takes any free one; :attr:`port` tells which. origins: full origins ("https://clinic.example") whose pages
    may connect, beside those of the same host. public_url: where browsers reach this very process, empty: at host and
    port. clock, limits, timers: for tests and tuning.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tickets: Tickets,
        journal: Journal,
        leases: Leases,
        spent: SpentTickets,
        admission: Admission,
        public_url: str = "",
        origins: frozenset[str] = frozenset(),
        limits: Limits | None = None,
        timers: Timers | None = None,
        clock: Clock = utc_now,
    ) -> None:
        self._address = (host, port)
        self._tickets = tickets
        self._journal = journal
        self._leases = leases
        self._admission = admission
        self._door = Door(tickets, spent, admission)
        self._public_url = public_url.rstrip("/")
        self._origins = origins
        self._limits = limits or Limits()
        self._timers = timers or Timers()
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._draining = False
        self._server: Server | None = None
        self._node = ""
        self._upkeep: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> Self:
        host, port = self._address
        self._server = await serve(
            self._converse,
            host,
            port,
            process_request=self._before_upgrade,
            # Our messages are a few hundred bytes: compressing each one per peer costs a fan-out more than it saves.
            compression=None,
            # The heartbeat is the protocol's own, because a browser answers frames but cannot send pings.
            ping_interval=None,
            close_timeout=self._timers.close_ms / 1000,
            max_size=self._limits.hard_frame_bytes,
            max_queue=_QUEUED_FRAMES,
            server_header=None,
        )
        # Fixed now, because a server that has closed its port still gives its leases back.
        self._node = f"{socket.gethostname()}:{self.port}"
        self._upkeep = (
            asyncio.create_task(self._forever(self._timers.tick_ms, self._tick)),
            asyncio.create_task(self._forever(self._timers.renew_ms, self.renew)),
            asyncio.create_task(self._forever(self._timers.readmit_ms, self.readmit)),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is None:
            return
        self.drain()
        for task in self._upkeep:
            task.cancel()
        self._server.close()
        await self._server.wait_closed()
        for host in self._hosts.values():
            await host.settled()
            host.stop()
        await self._release(list(self._hosts.values()))
        self._hosts.clear()

    @property
    def port(self) -> int:
        """The port in use; raises RuntimeError before the server listens."""
        if self._server is None:
            raise RuntimeError("the server does not listen yet")
        return int(next(iter(self._server.sockets)).getsockname()[1])

    @property
    def node(self) -> str:
        """This process among those that share a database: the same again after a restart."""
        return self._node

    @property
    def url(self) -> str:
        """Where browsers reach this very process."""
        return self._public_url or f"ws://{self._address[0]}:{self.port}"

    @property
    def rooms(self) -> frozenset[str]:
        """The rooms held in memory: somebody is inside, or a seat is kept."""
        return frozenset(self._hosts)

    def close_room(self, room: str, reason: str) -> None:
        """Everybody out, and no ticket of before opens it again. reason: for the log."""
        log.info("room closed", extra={"room": room, "reason": reason})
        self._tickets.close(room)
        if room in self._hosts:
            self._hosts[room].close(CloseCode.ROOM_CLOSED)

    def remove(self, room: str, person: str) -> None:
        """Take a person out; only a ticket issued from now on brings them back."""
        self._tickets.revoke(room, person)
        if room in self._hosts:
            self._hosts[room].remove(person)

    async def elsewhere(self, room: str) -> str | None:
        """The full address of the room when another process serves it now."""
        url = await self._leases.elsewhere(room, self.node)
        return None if url is None else f"{url}/rooms/{room}"

    @property
    def draining(self) -> bool:
        """Nobody is taken in any more."""
        return self._draining

    def notice(self, room: str, topic: str, about: str) -> None:
        """Tell everybody in the room that ``topic`` (findings, opinion) number ``about`` changed."""
        if room in self._hosts:
            self._hosts[room].notice(topic, about)

    def drain(self) -> None:
        """Take nobody in any more and send everybody away, to come back one after another."""
        self._draining = True
        peers = sum(host.peers for host in self._hosts.values())
        step_ms = self._timers.drain_spread_ms / max(peers, 1)
        sent_away = 0
        for host in self._hosts.values():
            leaving = host.peers
            host.drain(sent_away * step_ms, step_ms)
            sent_away += leaving

    def tick(self) -> None:
        """What time alone brings about: heartbeats, seats that are kept no longer."""
        for room, host in list(self._hosts.items()):
            try:
                host.tick()
            except Exception:
                log.exception("a room's tick failed", extra={"room": room})

    async def sweep(self) -> None:
        """Let rooms that nobody is in leave memory, and leave them to whichever process is asked next."""
        left = [host for host in self._hosts.values() if host.idle]
        for host in left:
            host.stop()
            del self._hosts[host.room.name]
        await self._release(left)

    async def renew(self) -> None:
        """Say that this process still serves its rooms; give up those that it has lost."""
        hosts = {host.lease: host for host in self._hosts.values() if not host.superseded}
        if not hosts:
            return
        held = {lease.room: lease for lease in await self._leases.renew(self.node, hosts)}
        for lease, host in hosts.items():
            kept = held.get(lease.room)
            if kept is None:
                host.supersede()
            elif kept.fence == host.lease.fence:
                host.lease = kept

    async def readmit(self) -> None:
        """Ask again whether everybody inside may still be there: a decision may have been made in another process."""
        for host in list(self._hosts.values()):
            for claims in host.claims:
                if not await self._admission.admitted(claims):
                    log.info("somebody may not be in a room any more", extra={"room": claims.room})
                    host.remove(claims.person)

    async def _tick(self) -> None:
        self.tick()
        await self.sweep()

    async def _forever(self, every_ms: int, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(every_ms / 1000)
            try:
                async with asyncio.timeout(self._timers.journal_ms / 1000):
                    await work()
            except Exception:
                log.exception("the upkeep of rooms failed")

    async def _release(self, hosts: Collection[Host]) -> None:
        leases = [host.lease for host in hosts if not host.superseded]
        if not leases:
            return
        try:
            await self._leases.release(self.node, leases)
        except Exception:
            log.exception("leases of rooms cannot be released")

    def _before_upgrade(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == _HEALTH_PATH:
            status = HTTPStatus.SERVICE_UNAVAILABLE if self._draining else HTTPStatus.OK
            return connection.respond(status, f"{status.phrase}\n")
        refused = refused_upgrade(request.path, request.headers, self._origins)
        return None if refused is None else connection.respond(refused, f"{refused.phrase}\n")

    async def _converse(self, connection: ServerConnection) -> None:
        """One socket from its upgrade to its end."""
        peer = Peer(connection, self._limits, self._timers)
        writing = asyncio.create_task(peer.write())
        request = connection.request
        try:
            await self._serve_peer(peer, (request and room_of(request.path)) or "")
        except ConnectionClosed:
            log.debug("a socket ended")
        except Exception:
            log.exception("a conversation failed")
            peer.end(CloseCode.UNAVAILABLE)
        finally:
            peer.end(CloseCode.NORMAL)
            await writing

    async def _serve_peer(self, peer: Peer, room: str) -> None:
        try:
            host = await self._entered(peer, room)
        except Elsewhere as elsewhere:
            peer.send(encode(redirect(f"{elsewhere.url}/rooms/{room}")), None)
            peer.end(CloseCode.MOVED)
            return
        except Refusal as refusal:
            peer.send(encode(err(refusal)), None)
            peer.end(refusal.close or CloseCode.PROTOCOL)
            return
        except TimeoutError:
            peer.end(CloseCode.NO_HEARTBEAT)
            return
        try:
            await self._listen(peer, host)
        finally:
            host.lost(peer)

    async def _entered(self, peer: Peer, room: str) -> Host:
        async with asyncio.timeout(self._timers.hello_ms / 1000):
            message = await peer.receive()
        entry = self._door.read(room, message)
        host = await self._open(room)
        host.arriving += 1
        try:
            await self._door.admit(entry)
        finally:
            host.arriving -= 1
        if self._draining:
            raise Refusal(ErrorCode.UNAVAILABLE, close=CloseCode.DRAIN)
        if host.superseded:
            raise Refusal(ErrorCode.UNAVAILABLE, close=CloseCode.UNAVAILABLE)
        host.enter(peer, self._arrival(peer, host, entry))
        return host

    def _arrival(self, peer: Peer, host: Host, entry: Entry) -> Arrival:
        visit = entry.visit or peer.link
        token = self._tickets.issue_resume(entry.claims, host.room.epoch, visit)
        return Arrival(entry.claims, peer.link, visit, token, entry.since, entry.token.issued_at)

    async def _open(self, room: str) -> Host:
        # Per room, so that a journal that is slow for one keeps nobody else waiting.
        async with self._opening.setdefault(room, asyncio.Lock()):
            host = self._hosts.get(room)
            if host is None or host.superseded:
                host = await open_host(await self._lease(room), self._journal, self._limits, self._timers, self._clock)
                self._hosts[room] = host
        return host

    async def _lease(self, room: str) -> Lease:
        try:
            return await self._leases.take(room, self.node, self.url)
        except Elsewhere:
            raise
        except Exception as error:
            log.exception("the lease of a room cannot be asked for", extra={"room": room})
            raise Refusal(ErrorCode.UNAVAILABLE, close=CloseCode.UNAVAILABLE) from error

    async def _listen(self, peer: Peer, host: Host) -> None:
        while True:
            try:
                message = await peer.receive()
            except Refusal as refusal:
                host.fault(peer, refusal)
            else:
                await host.receive(peer, message)
