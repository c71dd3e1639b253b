import json

import msgspec
import pytest

from imaging.dicom.layout import FrameSpan, Layout, Pixels


def pixels(**changes):
    plain = Pixels(
        tag="7FE00010",
        rows=4,
        columns=6,
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=12,
        high_bit=11,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        planar_configuration=0,
        number_of_frames=3,
        encapsulated=False,
        offset=1000,
        length=144,
    )
    return msgspec.structs.replace(plain, **changes)


def test_a_layout_survives_json():
    layout = Layout(
        dataset_offset=340,
        pixels=pixels(encapsulated=True, frames=[[(1008, 20)], [(1036, 4), (1048, 6)]]),
        bulk={"00089215/0/00081199": (500, 2048, "OB")},
    )
    assert Layout.from_json(json.loads(json.dumps(layout.to_json()))) == layout


def test_native_frames_follow_each_other():
    assert pixels().native_frame_span(2) == FrameSpan(1000 + 2 * 48, 48)


def test_one_bit_frames_need_not_begin_at_a_byte():
    plane = pixels(bits_allocated=1, rows=3, columns=3, number_of_frames=4, length=5)
    assert [plane.native_frame_span(i) for i in range(4)] == [
        FrameSpan(1000, 2, 0),
        FrameSpan(1001, 2, 1),
        FrameSpan(1002, 2, 2),
        FrameSpan(1003, 2, 3),
    ]


def test_native_ybr_422_takes_two_samples_a_pixel():
    colour = pixels(photometric_interpretation="YBR_FULL_422", samples_per_pixel=3, bits_allocated=8)
    assert colour.native_frame_span(1) == FrameSpan(1000 + 48, 48)


def test_short_pixel_data_ends_where_the_bytes_end():
    assert pixels(length=60).native_frame_span(1) == FrameSpan(1048, 12)
    assert pixels(length=60).native_frame_span(2) == FrameSpan(1060, 0)


def test_a_frame_that_does_not_exist_is_an_index_error():
    with pytest.raises(IndexError):
        pixels().native_frame_span(3)
