import struct

import numpy as np
import pytest
from pydicom.encaps import encapsulate_extended

from imaging.dicom import elements, file_meta, json_model, pixel_data, syntaxes
from imaging.dicom.remarks import RefusedAs, Remark, Unreadable
from tests.samples import ct_slice, encapsulated, multi_frame, patient_study, rle, set_raw, to_bytes

JPEG, JPEG_2000, VIDEO = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.102"
FRAMES = [b"\xff\xd8" + bytes([number]) * 20 + b"\xff\xd9" for number in range(3)]


def described(body, syntax_uid=None):
    start = file_meta.begin(body)
    syntax = syntaxes.find(syntax_uid or start.transfer_syntax_uid)
    scanned = elements.scan(body, start.dataset_offset, syntax.encoding, max_depth=64, max_elements=10_000)
    model = json_model.build(body, scanned.elements, syntax.encoding)
    return pixel_data.describe(body, scanned.elements, model.dataset, syntax, start.sop_class_uid)


def joined(body, frame):
    return b"".join(body[start : start + length] for start, length in frame)


def j2k_head(rows=8, columns=8, signed=False):
    sizes = struct.pack(">HHHLLLLLLLLHB", 0xFF51, 41, 0, columns, rows, 0, 0, columns, rows, 0, 0, 1, 0x80 * signed + 7)
    return b"\xff\x4f" + sizes + bytes(30)


def test_native_frames_lie_where_the_layout_says():
    body = to_bytes(multi_frame(5, 8))
    pixels = described(body).pixels
    assert (pixels.number_of_frames, pixels.rows, pixels.encapsulated) == (5, 8, False)
    span = pixels.native_frame_span(3)
    assert set(np.frombuffer(body[span.start : span.start + span.length], "<u2")) == {300}


@pytest.mark.parametrize("offsets", [True, False])
@pytest.mark.parametrize("fragments", [1, 2, 3])
def test_fragments_are_found_for_each_frame(offsets, fragments):
    body = to_bytes(encapsulated(patient_study(), FRAMES, JPEG, fragments=fragments, offsets=offsets))
    result = described(body)
    assert [joined(body, frame) for frame in result.pixels.frames] == FRAMES
    assert [len(frame) for frame in result.pixels.frames] == [fragments] * 3
    assert result.remarks == set()


def test_an_extended_offset_table_wins():
    data = encapsulated(patient_study(), FRAMES, JPEG, offsets=False)
    # Streams that do not begin with a marker, so that only the table can tell where frames begin.
    value, offsets, lengths = encapsulate_extended([frame[2:] for frame in FRAMES])
    set_raw(data, "PixelData", "OB", value)
    data.PixelData = value
    data["PixelData"].is_undefined_length = True
    data.ExtendedOffsetTable, data.ExtendedOffsetTableLengths = offsets, lengths
    body = to_bytes(data)
    assert [joined(body, frame)[: len(FRAMES[0]) - 2] for frame in described(body).pixels.frames] == [
        f[2:] for f in FRAMES
    ]


def test_one_frame_takes_all_fragments():
    body = to_bytes(encapsulated(patient_study(), FRAMES[:1], JPEG, fragments=4, offsets=False))
    assert [joined(body, frame) for frame in described(body).pixels.frames] == FRAMES[:1]


def test_a_video_is_one_stream_whatever_its_number_of_frames():
    data = encapsulated(patient_study(), [b"\0\0\0\x01video" * 4], VIDEO)
    data.NumberOfFrames = 250
    result = described(to_bytes(data))
    assert len(result.pixels.frames) == 1
    assert result.remarks == set()


def test_fewer_frames_than_declared_is_short():
    data = encapsulated(patient_study(), FRAMES, JPEG)
    data.NumberOfFrames = 4
    assert described(to_bytes(data)).remarks == {Remark.PIXELS_SHORT}


def test_frames_missing_at_the_end_of_the_file_are_refused():
    data = encapsulated(patient_study(), FRAMES, JPEG)
    body = to_bytes(data)
    last = len(FRAMES[2]) + 8
    with pytest.raises(Unreadable) as caught:
        described(body[: -8 - last])
    assert caught.value.why is RefusedAs.TRUNCATED


def test_a_missing_delimiter_after_the_last_frame_is_only_a_remark():
    body = to_bytes(encapsulated(patient_study(), FRAMES, JPEG))[:-8]
    assert described(body).remarks == {Remark.PIXELS_NOT_TERMINATED}


def test_pixel_data_shorter_than_described():
    data = ct_slice(count=1, size=16)
    data.Rows = 17
    assert described(to_bytes(data)).remarks == {Remark.PIXELS_SHORT}


def test_an_image_without_pixels_and_one_without_description():
    assert described(to_bytes(patient_study())).remarks == {Remark.PIXELS_MISSING}
    data = ct_slice(count=1, size=16)
    del data.Rows
    assert described(to_bytes(data)).remarks == {Remark.PIXELS_UNDESCRIBED}


def test_native_pixels_under_a_compressed_syntax():
    result = described(to_bytes(ct_slice(count=1, size=16)), JPEG)
    assert result.remarks == {Remark.PIXELS_NOT_IN_SYNTAX}
    assert not result.pixels.encapsulated


@pytest.mark.parametrize(
    ("stream", "syntax", "remarks"),
    [
        (j2k_head(), JPEG_2000, set()),
        (j2k_head(rows=9), JPEG_2000, {Remark.STREAM_DIFFERS}),
        (j2k_head(signed=True), JPEG_2000, {Remark.STREAM_DIFFERS}),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + j2k_head(), JPEG_2000, {Remark.STREAM_NONSTANDARD}),
        (b"not a JPEG stream", JPEG, {Remark.STREAM_NONSTANDARD}),
        (b"\x10\0\0\0" + bytes(60), "1.2.840.10008.1.2.5", {Remark.STREAM_NONSTANDARD}),
    ],
)
def test_the_stream_is_compared_with_the_description(stream, syntax, remarks):
    assert described(to_bytes(encapsulated(patient_study(), [stream], syntax))).remarks == remarks


def test_rle_of_pydicom_is_in_order():
    result = described(to_bytes(rle(multi_frame(3, 16))))
    assert (len(result.pixels.frames), result.remarks) == (3, set())


def test_a_huge_number_of_frames_costs_nothing():
    data = multi_frame(1, 8)
    data.NumberOfFrames = 2**31 - 1
    assert described(to_bytes(data)).remarks == {Remark.PIXELS_SHORT}
