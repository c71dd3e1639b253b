"""Conditional requests, ranges and options, without a server (checklist T50, T52, T53)."""

import gzip
import json
import zlib

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from foundation.errors import RangeNotSatisfiable
from imaging.dicom.pixels import Function, Window
from imaging.dicom.rendering import Viewport
from imaging.dicomweb import http
from imaging.dicomweb.frames import BadFrameList, frame_numbers
from imaging.dicomweb.metadata import Assembler
from imaging.dicomweb.rendered import BadRendering, parse_options


def asking(path="/", **headers):
    return make_mocked_request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("header", "start", "length", "status"),
    [
        ("", 0, 100, 200),
        ("bytes=0-9", 0, 10, 206),
        ("bytes=90-", 90, 10, 206),
        ("bytes=90-500", 90, 10, 206),
        ("bytes=-10", 90, 10, 206),
        ("bytes=-500", 0, 100, 206),
        ("bytes=0-1,5-6", 0, 100, 200),
        ("bytes=-", 0, 100, 200),
        ("lines=1-2", 0, 100, 200),
    ],
)
def test_t53_ranges(header, start, length, status):
    found = http.slice_of(asking(Range=header), 100, "tag")
    assert (found.start, found.length, found.status) == (start, length, status)
    assert ("Content-Range" in found.headers) is (status == 206)


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=9-3", "bytes=-0"])
def test_t53_ranges_outside_the_content(header):
    with pytest.raises(RangeNotSatisfiable):
        http.slice_of(asking(Range=header), 100, "tag")


def test_t53_a_stale_if_range_gets_everything():
    assert http.slice_of(asking(Range="bytes=0-9", If_Range='"old"'), 100, "tag").status == 200
    assert http.slice_of(asking(Range="bytes=0-9", If_Range='"tag"'), 100, "tag").status == 206


@pytest.mark.parametrize(
    ("held", "unchanged"), [('"tag"', True), ('W/"tag"', True), ('"a", "tag"', True), ("*", True), ('"a"', False)]
)
def test_t52_if_none_match(held, unchanged):
    if unchanged:
        with pytest.raises(web.HTTPNotModified) as answer:
            http.refuse_unchanged(asking(If_None_Match=held), "tag")
        assert answer.value.headers["ETag"] == '"tag"'
    else:
        assert http.refuse_unchanged(asking(If_None_Match=held), "tag") is None


def test_t49_the_query_parameter_stands_in_for_the_header():
    assert http.accept_of(asking("/?accept=image/png", Accept="text/html")) == "image/png"
    assert http.accept_of(asking(Accept="text/html")) == "text/html"
    assert http.accept_of(asking()) is None


@pytest.mark.parametrize("text", ["0", "-1", "abc", "1,", ",1", "1,,2", "1 2", "1.0", "", "99999999999"])
def test_t45_bad_frame_lists(text):
    with pytest.raises(BadFrameList):
        frame_numbers(text)


def test_t45_frames_keep_their_order_and_may_repeat():
    assert frame_numbers("3,1,3") == [3, 1, 3]


def test_t50_rendering_parameters():
    options = parse_options({"window": "40,400,sigmoid", "viewport": "10,20,1,2,-3,4", "quality": "7"}, "image/png", 3)
    assert options.window == Window(40, 400, Function.SIGMOID)
    assert options.viewport == Viewport(10, 20, (1, 2, -3, 4))
    assert (options.quality, options.frame, options.media_type) == (7, 3, "image/png")
    assert parse_options({"window": "-600,1500,linear-exact"}, "image/jpeg", 0).window.function is Function.LINEAR_EXACT
    assert parse_options({"window": "40,400"}, "image/jpeg", 0).window == Window(40, 400)


@pytest.mark.parametrize(
    "query",
    [
        {"quality": "0"},
        {"quality": "101"},
        {"quality": "high"},
        {"window": "40"},
        {"window": "40,0,linear"},
        {"window": "40,400,cubic"},
        {"window": "nan,400"},
        {"window": "1,2,linear,4"},
        {"viewport": "0,10"},
        {"viewport": "10"},
        {"viewport": "99999,10"},
        {"viewport": "10,10,0,0,0,5"},
        {"viewport": "10,10,0,0"},
    ],
)
def test_t50_bad_rendering_parameters_are_named(query):
    with pytest.raises(BadRendering) as refusal:
        parse_options(query, "image/jpeg", 0)
    assert next(iter(query)) in refusal.value.detail


def packed(model):
    return zlib.compress(json.dumps(model, separators=(",", ":")).encode())


@pytest.mark.parametrize("zipped", [False, True])
def test_t54_metadata_is_joined_with_absolute_addresses(zipped):
    assembler = Assembler(gzip=zipped)
    text = {"vr": "LT", "Value": ['"BulkDataURI":"bulkdata/']}
    models = [{"00204000": text, "7FE00010": {"vr": "OW", "BulkDataURI": "bulkdata/7FE00010"}}, {}]
    body = assembler.add([(packed(model), f"https://host/{place}") for place, model in enumerate(models)])
    body += assembler.finish()
    joined = json.loads(gzip.decompress(body) if zipped else body)
    assert joined[0]["7FE00010"]["BulkDataURI"] == "https://host/0/bulkdata/7FE00010"
    assert joined[0]["00204000"] == text
    assert joined[1] == {}


def test_metadata_of_nothing_is_an_empty_list():
    assert json.loads(Assembler(gzip=False).finish()) == []
