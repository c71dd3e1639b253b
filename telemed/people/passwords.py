"""Password hashes by Argon2id, made and checked in threads, a few at a time."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from telemed.people.model import normal_password

# Each check takes tens of MiB and a whole core: a flood of sign-ins must not take the machine.
CONCURRENT: Final = 2


class Passwords:
    """``hasher``: Argon2 with the parameters of today; tests give cheap ones."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = asyncio.Semaphore(CONCURRENT)

    async def hash(self, password: str) -> str:
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, normal_password(password))

    async def verify(self, known: str | None, password: str) -> bool:
        """Does ``password`` give the hash ``known``? For None, an unknown user, it takes as long and says no."""
        if known is None:
            # Making a hash costs what checking one does, so the time does not tell who exists.
            await self.hash(password)
            return False
        async with self._turn:
            return await asyncio.to_thread(self._matches, known, normal_password(password))

    def outdated(self, known: str) -> bool:
        """Was it made with other parameters than those of today?"""
        return self._hasher.check_needs_rehash(known)

    def _matches(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
