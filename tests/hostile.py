"""What a hostile file makes its reader do; at module level, because workers import it."""

import os
import re
import signal


def loop(*_):
    # Inside one call of C code that holds the interpreter's lock, as a decoder that never comes back would.
    re.match(r"(a+)+$", "a" * 64 + "b")


def stumble(*_, **__):
    raise KeyError("what nobody foresaw")


def swell(*_):
    return bytes(64 << 30)


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
