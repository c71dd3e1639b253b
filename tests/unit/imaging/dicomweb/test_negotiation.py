"""The table of what clients send and what they get (checklist T41, T41b, T41c, T45, T48, T49)."""

import pytest

from imaging.dicomweb.negotiation import (
    DICOM,
    DICOM_JSON,
    OCTETS,
    BadAccept,
    NothingAcceptable,
    Offer,
    accepts_gzip,
    choose,
    parse_accept,
)

ELE, JLS, J2K, JPEG51 = (
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.51",
)

# An instance stored in JPEG-LS, as one instance is offered and as a study is offered.
WRAPPED = [Offer(DICOM, ELE, multipart=True), Offer(DICOM, JLS, multipart=True, stored=True)]
BARE = [Offer(DICOM, ELE), Offer(DICOM, JLS, stored=True)]
INSTANCE = [*WRAPPED, *BARE]
FRAME = [
    Offer(OCTETS, ELE, multipart=True),
    Offer("image/jls", JLS, multipart=True, stored=True),
    Offer(OCTETS, JLS, multipart=True, stored=True),
    Offer(OCTETS, ELE),
    Offer("image/jls", JLS, stored=True),
    Offer(OCTETS, JLS, stored=True),
]
NATIVE_FRAME = [Offer(OCTETS, ELE, multipart=True, stored=True), Offer(OCTETS, ELE, stored=True)]


@pytest.mark.parametrize(
    ("accept", "offers", "chosen"),
    [
        # T41: no syntax named means Explicit VR Little Endian, a star means what is stored.
        (None, INSTANCE, Offer(DICOM, ELE, multipart=True)),
        ("", INSTANCE, Offer(DICOM, ELE, multipart=True)),
        ("*/*", INSTANCE, Offer(DICOM, ELE, multipart=True)),
        ("multipart/*", INSTANCE, Offer(DICOM, ELE, multipart=True)),
        ("multipart/related", INSTANCE, Offer(DICOM, ELE, multipart=True)),
        ("application/dicom", INSTANCE, Offer(DICOM, ELE)),
        ("Application/DICOM", INSTANCE, Offer(DICOM, ELE)),
        ('multipart/related; type="application/dicom"', INSTANCE, Offer(DICOM, ELE, multipart=True)),
        ("multipart/related; type=application/dicom", INSTANCE, Offer(DICOM, ELE, multipart=True)),
        ("multipart/related;type=application/dicom;transfer-syntax=*", INSTANCE, WRAPPED[1]),
        ('multipart/related; type="application/dicom"; transfer-syntax="*"', INSTANCE, WRAPPED[1]),
        ('multipart/related; type="application/dicom; transfer-syntax=*"', INSTANCE, WRAPPED[1]),
        (f"application/dicom; transfer-syntax={JLS}", INSTANCE, BARE[1]),
        ("multipart/related; transfer-syntax=*", INSTANCE, WRAPPED[1]),
        ("application/dicom; transfer-syntax=*", INSTANCE, BARE[1]),
        # Several entries with q.
        ("application/dicom;q=0.2, multipart/related;type=application/dicom", INSTANCE, WRAPPED[0]),
        (f"application/dicom; transfer-syntax={J2K}, application/dicom; transfer-syntax=*;q=0.5", INSTANCE, BARE[1]),
        ("application/dicom;q=0, */*", BARE[:1] + WRAPPED, Offer(DICOM, ELE, multipart=True)),
        ("text/html, */*;q=0.1", INSTANCE, WRAPPED[0]),
        ("text/html, image/gif, *; q=.2, */*; q=.2", INSTANCE, WRAPPED[0]),
        # T41b: what OHIF sends, old and new.
        ('multipart/related; type="application/octet-stream"; transfer-syntax="*"', FRAME, FRAME[2]),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", FRAME, FRAME[2]),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", NATIVE_FRAME, NATIVE_FRAME[0]),
        (f'multipart/related; type="image/jls"; transfer-syntax="{JLS}"; transfer-syntax="*"', FRAME, FRAME[1]),
        (f"multipart/related; type=image/jls; transfer-syntax={JLS}; transfer-syntax=*", FRAME, FRAME[1]),
        (f'multipart/related; type="image/jp2"; transfer-syntax="{J2K}"; transfer-syntax="*"', FRAME, FRAME[1]),
        (
            f'multipart/related; type="image/jls"; transfer-syntax="{JLS}"; transfer-syntax="*"',
            NATIVE_FRAME,
            NATIVE_FRAME[0],
        ),
        (
            f'multipart/related; type="image/dicom+jpeg"; transfer-syntax="{JPEG51}"; transfer-syntax="*"',
            [Offer("image/jpeg", JPEG51, multipart=True, stored=True)],
            Offer("image/jpeg", JPEG51, multipart=True, stored=True),
        ),
        (
            "application/dicom+json, multipart/related; type=application/octet-stream; transfer-syntax=*",
            [Offer(DICOM_JSON)],
            Offer(DICOM_JSON),
        ),
        # T48: an image type alone takes what is stored; octets alone mean native.
        ("multipart/related; type=image/jls", FRAME, FRAME[1]),
        ("multipart/related; type=application/octet-stream", FRAME, FRAME[0]),
        ("image/jls", FRAME, FRAME[4]),
        ("image/*", FRAME, FRAME[4]),
        ("application/octet-stream", FRAME, FRAME[3]),
        # T49: a form-encoded plus.
        ("application/dicom json", [Offer(DICOM_JSON)], Offer(DICOM_JSON)),
    ],
)
def test_t41_chooses_what_the_caller_likes_best(accept: str | None, offers: list[Offer], chosen: Offer) -> None:
    assert choose(accept, offers) == chosen


@pytest.mark.parametrize(
    ("accept", "offers"),
    [
        ("application/dicom+xml", [Offer(DICOM_JSON)]),
        ("application/dicom", BARE[1:]),  # no syntax named and Explicit VR Little Endian cannot be made
        ("multipart/related; type=application/octet-stream", FRAME[1:3]),
        ("application/dicom", WRAPPED),  # T41c: a one-part type where there are many parts
        (f"application/dicom; transfer-syntax={J2K}", INSTANCE),
        ("application/dicom;q=0", INSTANCE),
        ("application/dicom;q=0, application/dicom;q=0;transfer-syntax=*", BARE),
        ("multipart/related; type=image/jp2; transfer-syntax=*", FRAME),
    ],
)
def test_t41_refuses_what_cannot_be_produced(accept: str, offers: list[Offer]) -> None:
    with pytest.raises(NothingAcceptable) as refusal:
        choose(accept, offers)
    assert offers[0].media_type in refusal.value.detail


@pytest.mark.parametrize(
    "accept",
    [
        'multipart/related; type="application/dicom',
        "application",
        "application/dicom;q=high",
        "application/dicom;q=7",
        'multipart/related; type="application/dicom" type',
        "application/dicom, image/jpeg",  # DICOM and rendered in one request
    ],
)
def test_t41_refuses_what_is_malformed(accept: str) -> None:
    with pytest.raises(BadAccept):
        choose(accept, INSTANCE)


def test_entries_keep_their_order_and_repeated_parameters() -> None:
    first, second = parse_accept(
        f'multipart/related; type="image/jls"; transfer-syntax={JLS}; transfer-syntax="*", */*;q=0.3'
    )
    assert (first.media_type, first.multipart, first.transfer_syntaxes) == ("image/jls", True, (JLS, "*"))
    assert (second.is_generic, second.quality) == (True, 0.3)


@pytest.mark.parametrize(
    ("header", "asked"),
    [(None, False), ("identity", False), ("gzip", True), ("br, gzip;q=0.5", True), ("gzip;q=0", False), ("*", True)],
)
def test_t56_gzip_only_when_asked(header: str | None, asked: bool) -> None:
    assert accepts_gzip(header) is asked
