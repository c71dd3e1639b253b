"""Decoders against encoders of the same library and hand-made bytes (checklist T46, T47; security 8)."""

import zlib

import imagecodecs
import numpy as np
import pytest

from imaging.dicom.codecs import (
    CODECS,
    DamagedPixels,
    FrameTooLarge,
    NoDecoder,
    check_size,
    decode_frame,
    is_decodable,
    little_endian,
    media_type,
    native_bytes,
    native_frame,
)
from imaging.dicom.layout import Pixels

GREY = np.arange(64, dtype=np.uint16).reshape(8, 8) * 60
COLOUR = np.random.default_rng(1).integers(0, 256, (8, 8, 3), np.uint8)


def described(
    rows=8,
    columns=8,
    *,
    samples=1,
    bits=16,
    stored=None,
    signed=0,
    photometric=None,
    planar=0,
    tag="7FE00010",
    high=None,
):
    stored = stored or bits
    high = stored - 1 if high is None else high
    photometric = photometric or ("MONOCHROME2" if samples == 1 else "RGB")
    return Pixels(tag, rows, columns, samples, bits, stored, high, signed, photometric, planar, 1, True, 0, 0)


@pytest.mark.parametrize(
    ("syntax", "payload"),
    [
        ("1.2.840.10008.1.2.4.57", imagecodecs.ljpeg_encode(GREY)),
        ("1.2.840.10008.1.2.4.70", imagecodecs.ljpeg_encode(GREY)),
        ("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode(GREY)),
        ("1.2.840.10008.1.2.4.81", imagecodecs.jpegls_encode(GREY)),
        ("1.2.840.10008.1.2.4.90", imagecodecs.jpeg2k_encode(GREY, codecformat="j2k", reversible=True)),
        ("1.2.840.10008.1.2.4.201", imagecodecs.htj2k_encode(GREY, reversible=True)),
        ("1.2.840.10008.1.2.4.202", imagecodecs.htj2k_encode(GREY, reversible=True)),
        ("1.2.840.10008.1.2.8.1", zlib.compress(GREY.tobytes(), wbits=-15)),
    ],
)
def test_t46_lossless_syntaxes_give_back_every_value(syntax, payload):
    frame = decode_frame(payload, syntax, described())
    assert frame.samples.dtype == np.uint16
    assert np.array_equal(frame.samples, GREY)


def rle(planes):
    """PS3.5 annex G with literal runs only: one segment of each byte plane."""
    segments = [
        b"".join(bytes([len(plane[i : i + 128]) - 1]) + plane[i : i + 128] for i in range(0, len(plane), 128))
        for plane in planes
    ]
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    header = np.zeros(16, "<u4")
    header[0], header[1 : 1 + len(segments)] = len(segments), starts
    return header.tobytes() + b"".join(segments)


def test_t46_rle_joins_the_bytes_of_a_sample_from_its_segments():
    high, low = (GREY >> 8).astype(np.uint8).tobytes(), (GREY & 255).astype(np.uint8).tobytes()
    assert np.array_equal(decode_frame(rle([high, low]), "1.2.840.10008.1.2.5", described()).samples, GREY)


def test_t47_rle_colour_comes_in_planes_and_leaves_by_pixel():
    payload = rle([COLOUR[..., plane].tobytes() for plane in range(3)])
    assert np.array_equal(decode_frame(payload, "1.2.840.10008.1.2.5", described(samples=3, bits=8)).samples, COLOUR)


def test_lossy_jpeg_colour_becomes_rgb_and_says_so():
    smooth = np.full((8, 8, 3), (200, 40, 90), np.uint8)
    payload = imagecodecs.jpeg8_encode(smooth, level=98)
    frame = decode_frame(payload, "1.2.840.10008.1.2.4.50", described(samples=3, bits=8, photometric="YBR_FULL_422"))
    assert frame.photometric == "RGB"
    assert np.abs(frame.samples.astype(int) - smooth).max() <= 4


def test_reversibly_transformed_jpeg_2000_is_rgb():
    payload = imagecodecs.jpeg2k_encode(COLOUR, codecformat="j2k", reversible=True, mct=True)
    frame = decode_frame(payload, "1.2.840.10008.1.2.4.90", described(samples=3, bits=8, photometric="YBR_RCT"))
    assert frame.photometric == "RGB"
    assert np.array_equal(frame.samples, COLOUR)


def test_a_signed_image_in_an_unsigned_stream_gets_its_sign_back():
    values = np.array([[-4, -1], [0, 4]], np.int16)
    payload = imagecodecs.jpegls_encode((values & 0xFFF).astype(np.uint16))
    frame = decode_frame(payload, "1.2.840.10008.1.2.4.80", described(2, 2, stored=12, signed=1))
    assert frame.samples.dtype == np.int16
    assert np.array_equal(frame.samples, values)


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55", "1.2.840.10008.1.2.4.102", "1.2.3"]
)
def test_syntaxes_without_a_decoder_are_refused_by_name(syntax):
    assert not is_decodable(syntax)
    with pytest.raises(NoDecoder) as refusal:
        decode_frame(b"", syntax, described())
    assert syntax in refusal.value.detail


@pytest.mark.parametrize("syntax", [uid for uid, codec in CODECS.items() if codec.decode])
@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"nonsense" * 20, b"\xff\xd8\xff\xe0\x00\x02", b"\xff\x4f\xff\x51\x00"]
)
def test_security_08_rubbish_is_damaged_and_never_another_error(syntax, payload):
    with pytest.raises(DamagedPixels):
        decode_frame(payload, syntax, described())


@pytest.mark.parametrize(
    ("syntax", "encode"),
    [
        ("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode),
        ("1.2.840.10008.1.2.4.90", lambda image: imagecodecs.jpeg2k_encode(image, codecformat="j2k")),
        ("1.2.840.10008.1.2.4.70", imagecodecs.ljpeg_encode),
    ],
)
def test_security_08_a_stream_of_another_size_is_not_decoded(syntax, encode):
    with pytest.raises(DamagedPixels) as refusal:
        decode_frame(encode(np.zeros((16, 8), np.uint16)), syntax, described())
    # Seen in the stream's header, before a decoder allocates what it claims.
    assert "another size" in str(refusal.value.__cause__)


@pytest.mark.parametrize(
    "header", [(2, 64, 0x40000000), (2, 64, 200), (2, 120, 64), (1, 64), (3, 64, 70, 80), (0xFFFFFFFF, 64), (2, 3, 64)]
)
def test_security_08_segments_outside_a_frame_are_not_read(header):
    """The library's decoder follows them into memory that is not ours (seen: a crash of its process)."""
    plane = bytes([63]) + bytes(64)
    payload = np.array([*header, *[0] * (16 - len(header))], "<u4").tobytes() + plane
    with pytest.raises(DamagedPixels) as refusal:
        decode_frame(payload, "1.2.840.10008.1.2.5", described())
    assert "segments" in str(refusal.value.__cause__)


def test_security_08_a_claim_beyond_the_limit_is_refused_before_decoding():
    with pytest.raises(FrameTooLarge):
        decode_frame(b"", "1.2.840.10008.1.2.4.80", described(65535, 65535))


@pytest.mark.parametrize("pixels", [described(rows=0), described(bits=12), described(samples=0)])
def test_a_frame_of_no_size_is_refused(pixels):
    with pytest.raises(DamagedPixels):
        check_size(pixels)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_t47_big_endian_words_are_swapped(bits):
    values = np.arange(64).reshape(8, 8).astype(f">u{bits // 8}")
    data = little_endian(values.tobytes(), described(bits=bits), big_endian=True)
    assert np.array_equal(native_frame(data, described(bits=bits)).samples, values)


def test_t47_single_bits_may_begin_inside_a_byte():
    bits = np.random.default_rng(2).integers(0, 2, 3 * 25, np.uint8)
    data = np.packbits(bits, bitorder="little").tobytes()
    pixels = described(5, 5, bits=1)
    aligned = little_endian(data[3:7], pixels, first_bit=1)
    frame = native_frame(aligned, pixels)
    assert np.array_equal(frame.samples.ravel(), bits[25:50])
    assert native_bytes(frame, pixels) == aligned


def test_t47_planes_become_pixels_and_go_back():
    pixels = described(samples=3, bits=8, planar=1)
    data = COLOUR.transpose(2, 0, 1).tobytes()
    frame = native_frame(data, pixels)
    assert np.array_equal(frame.samples, COLOUR)
    assert native_bytes(frame, pixels) == data


def test_t47_chroma_of_a_pair_is_repeated():
    frame = native_frame(bytes([1, 2, 100, 200]), described(1, 2, samples=3, bits=8, photometric="YBR_FULL_422"))
    assert frame.photometric == "YBR_FULL"
    assert frame.samples.tolist() == [[[1, 100, 200], [2, 100, 200]]]


def test_t47_float_pixels_stay_floats():
    values = np.array([[0.5, -1.5], [np.nan, 3]], "<f4")
    frame = native_frame(values.tobytes(), described(2, 2, bits=32, tag="7FE00008"))
    assert np.array_equal(frame.samples, values, equal_nan=True)


def test_bits_above_bits_stored_do_not_count():
    values = np.array([0xF005, 0x0FFF], "<u2")
    unsigned = native_frame(values.tobytes(), described(1, 2, stored=12))
    signed = native_frame(values.tobytes(), described(1, 2, stored=12, signed=1))
    shifted = native_frame((values << 4).astype("<u2").tobytes(), described(1, 2, stored=12, high=15))
    assert unsigned.samples.tolist() == [[5, 4095]]
    assert signed.samples.tolist() == [[5, -1]]
    assert shifted.samples.tolist() == [[5, 4095]]


def test_missing_bytes_are_damage():
    with pytest.raises(DamagedPixels):
        native_frame(b"\0" * 127, described())


def test_t48_media_types_fit_the_syntaxes():
    assert {
        uid.rsplit(".", 1)[-1]: media_type(uid) for uid in CODECS if uid.endswith((".50", ".80", ".90", ".201", ".5"))
    } == {
        "50": "image/jpeg",
        "80": "image/jls",
        "90": "image/jp2",
        "201": "image/jphc",
        "5": "image/dicom-rle",
    }
    assert media_type("1.2.840.10008.1.2.1") == "application/octet-stream"
