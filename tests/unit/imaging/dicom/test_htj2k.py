import imagecodecs
import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from imaging.dicom import htj2k
from imaging.dicom.htj2k import HTJ2K_RPCL, NoCopy, Unfit, lossless_copy, unfit
from imaging.dicom.layout import Layout
from imaging.dicom.reading import ReadingLimits, examine
from tests.samples import ct_slice, encapsulated, patient_study, rle, set_pixels, to_bytes


@pytest.fixture
def examined(tmp_path):
    def one(data):
        path = tmp_path / "one.dcm"
        path.write_bytes(to_bytes(data))
        found = examine(path, ReadingLimits())
        return path, found.transfer_syntax_uid, Layout.from_json(found.layout)

    return one


def noise(shape, dtype):
    limits = np.iinfo(dtype)
    return np.random.default_rng(1).integers(limits.min, limits.max, shape, dtype, endpoint=True)


def image(samples, *, signed=False, photometric="MONOCHROME2"):
    data = patient_study("htj2k")
    set_pixels(data, samples if samples.ndim == 2 else samples[..., 0])
    data.PixelRepresentation, data.PhotometricInterpretation = int(signed), photometric
    if samples.ndim == 3:
        data.SamplesPerPixel, data.PlanarConfiguration = 3, 0
    data.PixelData = samples.tobytes()
    return data


def markers(stream):
    """Marker codes of the main header with their segments."""
    at, found = 2, {}
    while stream[at : at + 2] != b"\xff\x90":
        length = int.from_bytes(stream[at + 2 : at + 4], "big")
        found[stream[at : at + 2].hex()] = stream[at + 4 : at + 2 + length]
        at += 2 + length
    return found


GREY = [(dtype, shape) for dtype in ("u1", "i1", "<u2", "<i2") for shape in ((7, 300), (64, 48), (1, 1))]


@pytest.mark.parametrize(("dtype", "shape"), [*GREY, ("u1", (48, 64, 3)), ("<u2", (48, 64, 3))])
def test_a_copy_decodes_to_the_very_samples(examined, dtype, shape):
    samples = noise(shape, dtype)
    photometric = "RGB" if len(shape) == 3 else "MONOCHROME2"
    path, syntax, layout = examined(image(samples, signed="i" in dtype, photometric=photometric))
    assert unfit(syntax, layout) is None
    assert np.array_equal(imagecodecs.htj2k_decode(lossless_copy(path, syntax, layout, 0)), samples)


def test_ps35_10_18_rpcl_tlm_and_a_base_of_64_pixels(examined):
    copy = lossless_copy(*examined(image(noise((5000, 20), "<u2"))), 0)
    found = markers(copy)
    assert found["ff52"][1] == 2, "progression order RPCL"
    decompositions = found["ff52"][5]
    assert 5000 / 2**decompositions <= htj2k.BASE_PIXELS * 2
    assert 5000 / 2**decompositions <= htj2k.BASE_PIXELS or 20 / 2**decompositions <= htj2k.BASE_PIXELS
    lengths = found["ff55"][2:]
    assert len(lengths) == 6 * (decompositions + 1), "one tile-part for each resolution"


def test_the_beginning_of_a_copy_is_a_small_picture(examined):
    ramp = np.add.outer(np.arange(1024), np.arange(1024)).astype("<u2") * 16
    ramp += noise(ramp.shape, "u1") % 32
    path, syntax, layout = examined(image(ramp))
    copy = lossless_copy(path, syntax, layout, 0)
    lengths = markers(copy)["ff55"][2:]
    # What stands before the third-last resolution, as the TLM marker tells (ISO 15444-1 annex A.7.1).
    parts = [int.from_bytes(lengths[at + 2 : at + 6], "big") for at in range(0, len(lengths), 6)]
    beginning = copy[: len(copy) - sum(parts[-3:])]
    coarse = imagecodecs.htj2k_decode(beginning, skipres=3, resilient=True)
    assert len(beginning) < len(copy) / 4
    assert np.abs(coarse.astype(int) - ramp[::8, ::8]).max() < 200


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (image(noise((16, 16), "u1"), photometric="PALETTE COLOR"), Unfit.NOT_GREY_OR_RGB),
        (image(noise((16, 16, 3), "u1"), photometric="YBR_FULL"), Unfit.NOT_GREY_OR_RGB),
        (encapsulated(ct_slice(count=1, size=16), [b"\0" * 8], HTJ2K_RPCL), Unfit.STORED_SO),
        (encapsulated(ct_slice(count=1, size=16), [b"\0" * 8], "1.2.840.10008.1.2.4.50"), Unfit.LOSSY),
        (encapsulated(ct_slice(count=1, size=16), [b"\0" * 8], "1.2.840.10008.1.2.4.53"), Unfit.NO_DECODER),
        (patient_study("none"), Unfit.NO_PIXELS),
    ],
)
def test_what_has_no_copy_says_why(examined, data, why):
    _, syntax, layout = examined(data)
    assert unfit(syntax, layout) is why


def test_planar_colour_and_other_depths_have_none(examined):
    planar = image(noise((16, 16, 3), "u1"), photometric="RGB")
    planar.PlanarConfiguration = 1
    assert unfit(*examined(planar)[1:]) is Unfit.NOT_GREY_OR_RGB
    deep = image(noise((16, 16), "<u4"))
    assert unfit(*examined(deep)[1:]) is Unfit.DEPTH


def test_an_inflated_series_of_frames_has_none(examined):
    data = image(noise((16, 16), "u1"))
    data.NumberOfFrames, data.PixelData = 2, data.PixelData * 2
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    assert unfit(*examined(data)[1:]) is Unfit.DEFLATED


def test_bits_above_bits_stored_are_not_lost_silently(examined):
    overlaid = image(noise((32, 32), "<u2") | 0x8000)
    overlaid.BitsStored, overlaid.HighBit = 12, 11
    with pytest.raises(NoCopy):
        lossless_copy(*examined(overlaid), 0)


def test_compressed_without_loss_has_a_copy_of_the_same_samples(examined):
    plain = ct_slice(count=1, size=64)
    pixels = plain.pixel_array
    copy = lossless_copy(*examined(rle(plain)), 0)
    assert np.array_equal(imagecodecs.htj2k_decode(copy), pixels)
