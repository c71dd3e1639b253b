import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imaging.dicomweb.splitter import HEAD_LIMIT_BYTES, Head, Splitter
from imaging.errors import BrokenMultipart

BOUNDARY = b"b-1"
# Whatever looks like a delimiter, a head or a line end, in every combination.
TEASING = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b"\r\n", b"-", b"--", b"--b", b"b-1", b"\r\n--b-1x", b"\r\n--b-1 ", b"\r\n\r\n", b"\0"]
    ),
    max_size=12,
).map(b"".join)
CONTENT = TEASING.filter(lambda content: not ends_early(content))


def ends_early(content):
    """Whether a reader by the book would find a delimiter in it, or one begun by its last bytes."""
    try:
        return split(body([content]), [1 << 20]) != [content]
    except BrokenMultipart:
        return True


def body(contents, preamble=b"", head=b"A: b\r\n", padding=b"", epilogue=b""):
    begin = preamble + (b"\r\n" if preamble else b"")
    parts = b"".join(b"--b-1" + padding + b"\r\n" + head + b"\r\n" + content + b"\r\n" for content in contents)
    return begin + parts + b"--b-1--" + epilogue


def split(data, sizes):
    """The contents found when the body comes in pieces of these sizes, over and over."""
    splitter, found, position, turn = Splitter(BOUNDARY), [], 0, 0
    while position < len(data):
        size = sizes[turn % len(sizes)]
        for event in splitter.feed(data[position : position + size]):
            if isinstance(event, Head):
                found.append(bytearray())
                open_part = True
            elif event is None:
                open_part = False
            else:
                assert open_part
                found[-1] += event
        position, turn = position + size, turn + 1
    splitter.finish()
    return [bytes(each) for each in found]


@given(
    st.lists(CONTENT, max_size=4),
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.sampled_from([b"", b"hello", b"\r\n", b"--b-", b"--b-1x"]),
    st.sampled_from([b"", b"\r\n", b"\r\n--b-1\r\n\r\nnot a part\r\n"]),
    st.sampled_from([b"", b" \t"]),
)
@example([b"\r\n--b-1x\r\n--b-"], [1], b"", b"", b"")
def test_t15_contents_come_out_as_they_went_in_however_the_body_is_cut(contents, sizes, preamble, epilogue, padding):
    assert split(body(contents, preamble, padding=padding, epilogue=epilogue), sizes) == contents


@given(st.binary(max_size=300), st.integers(1, 50))
def test_t14_a_body_without_its_last_delimiter_is_broken(data, size):
    whole = body([data.replace(b"-", b"")])
    for cut in (len(whole) - 1, len(whole) - 9, 3, 0):
        with pytest.raises(BrokenMultipart):
            split(whole[:cut], [size])


def test_t14_lines_that_end_in_lf_alone_hold_no_part():
    with pytest.raises(BrokenMultipart):
        split(body([b"x"]).replace(b"\r\n", b"\n"), [7])


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
def test_a_head_without_end_is_broken_before_it_fills_the_memory(size):
    splitter = Splitter(BOUNDARY)
    with pytest.raises(BrokenMultipart):
        for _ in range(HEAD_LIMIT_BYTES // size + 2):
            assert list(splitter.feed(b"--b-1\r\n" + b"x" * size)) == []


def test_headers_are_found_by_name_whatever_their_case_and_folding():
    head = b"CONTENT-Type:  application/dicom;\r\n\ttransfer-syntax=*\r\nX:\r\n"
    (first, *_) = Splitter(BOUNDARY).feed(body([b"x"], head=head))
    assert first == Head({"content-type": "application/dicom; transfer-syntax=*", "x": ""})


@pytest.mark.parametrize("head", [b"", b"no colon\r\n"])
def test_t14_a_part_needs_no_header_but_no_line_may_be_none(head):
    if not head:
        assert split(body([b"x"], head=head), [5]) == [b"x"]
        return
    with pytest.raises(BrokenMultipart):
        split(body([b"x"], head=head), [5])


def test_what_is_held_back_stays_small():
    splitter = Splitter(BOUNDARY)
    list(splitter.feed(b"--b-1\r\n\r\n"))
    for _ in range(50):
        assert sum(map(len, splitter.feed(b"\r\n--b-" * 10_000))) > 59_900
