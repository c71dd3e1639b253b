"""Where our requests to vendors may go: not where a stranger's address, name or redirect would lead them."""

import socket

import pytest

from imaging.review.errors import UrlRefused
from imaging.review.reach import LOOPBACK_ONLY, BoundResolver, OutOfReach, Reach
from tests.review_rows import add_study

HOSPITAL = Reach.of("10.20.0.0/16")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9000/hook", "https://localhost/x", "http://[::1]:9000/", "https://ai.example.com/hook"]
)
def test_a_public_service_and_this_machine_may_be_registered(url):
    LOOPBACK_ONLY.check(url)
    assert LOOPBACK_ONLY.permits("8.8.8.8")


@pytest.mark.parametrize(
    "url",
    [
        "http://ai.example.com/hook",
        "https://10.0.0.8/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.8]/",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@evil.example/",
        "https://user@ai.example.com/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://127.0.0.1:99999/",
        "http://[::1",
        "",
    ],
)
def test_security_19_addresses_inside_are_refused(url):
    with pytest.raises(UrlRefused):
        LOOPBACK_ONLY.check(url)


def test_a_network_that_the_operator_names_is_reached_and_then_nothing_else_inside():
    HOSPITAL.check("http://10.20.3.4:8000/hook")
    for outside in ("http://10.21.0.1/", "http://127.0.0.1/"):
        with pytest.raises(UrlRefused):
            HOSPITAL.check(outside)


async def test_security_19_a_name_that_leads_inside_is_not_connected():
    with pytest.raises(OutOfReach):
        await BoundResolver(HOSPITAL).resolve("localhost", 80, socket.AF_INET)
    found = await BoundResolver(LOOPBACK_ONLY).resolve("localhost", 80, socket.AF_INET)
    assert [one["host"] for one in found] == ["127.0.0.1"]


async def test_what_was_registered_before_the_operator_changed_his_mind_is_not_reached(hook):
    await hook.register("http://127.0.0.1:9/hook")
    await hook.complete(await add_study(hook.database, hook.clock))
    hook.deliverer._reach = HOSPITAL
    await hook.deliverer.deliver_due()
    (delivery,) = await hook.deliveries()
    assert delivery.last_error == "its address may not be reached"
