import base64
import hashlib
import hmac
from datetime import timedelta

import msgspec

from signaling.ice import IceConfig, ice_servers
from tests.unit.signaling.fakes import START

TURN = IceConfig(
    stun_urls=("stun:turn.example:3478",),
    turn_urls=("turns:turn.example:443?transport=tcp",),
    turn_secret=b"shared",
    credential_life=timedelta(hours=2),
)


def test_nothing_configured_means_no_servers():
    assert ice_servers(IceConfig(), "ann", START) == []


def test_turn_credentials_expire_and_are_signed():
    stun, turn = ice_servers(TURN, "ann", START)
    expires = int((START + timedelta(hours=2)).timestamp())
    assert stun.urls == ["stun:turn.example:3478"]
    assert turn.username == f"{expires}:ann"
    digest = hmac.new(b"shared", turn.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(turn.credential) == digest


def test_a_server_without_a_secret_has_no_credential_members():
    config = IceConfig(turn_urls=("turn:10.0.0.1",))
    assert msgspec.to_builtins(ice_servers(config, "ann", START)) == [{"urls": ["turn:10.0.0.1"]}]
