import unicodedata

import pytest
from argon2 import PasswordHasher

from telemed.people.passwords import Passwords


class CountingHasher(PasswordHasher):
    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.computed = 0

    def hash(self, password, **options):
        self.computed += 1
        return super().hash(password, **options)

    def verify(self, known, password):
        self.computed += 1
        return super().verify(known, password)


CHEAP = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


@pytest.fixture
def hasher():
    return CountingHasher(**CHEAP)


async def test_a_hash_verifies_its_own_password_only(hasher):
    passwords = Passwords(hasher)
    known = await passwords.hash("a long password")
    assert await passwords.verify(known, "a long password")
    assert not await passwords.verify(known, "another password")


async def test_an_unknown_user_costs_one_computation_like_a_known_one(hasher):
    passwords = Passwords(hasher)
    known = await passwords.hash("a long password")
    hasher.computed = 0
    await passwords.verify(known, "guess")
    for_known, hasher.computed = hasher.computed, 0
    assert not await passwords.verify(None, "guess")
    assert hasher.computed == for_known == 1


async def test_composed_and_decomposed_letters_are_one_password(hasher):
    passwords = Passwords(hasher)
    known = await passwords.hash(unicodedata.normalize("NFC", "Müller's Kaffee"))
    assert await passwords.verify(known, unicodedata.normalize("NFD", "Müller's Kaffee"))


async def test_a_damaged_hash_refuses(hasher):
    assert not await Passwords(hasher).verify("not a hash", "a long password")


async def test_a_hash_with_other_parameters_is_outdated(hasher):
    known = await Passwords(hasher).hash("a long password")
    assert not Passwords(hasher).outdated(known)
    assert Passwords(PasswordHasher(**CHEAP | {"time_cost": 2})).outdated(known)
