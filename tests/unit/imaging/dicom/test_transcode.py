"""Frames read from files, whole files rewritten and rendered, on phantoms in every native form."""

import io

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from imaging.dicom.codecs import DamagedPixels, NoDecoder
from imaging.dicom.frames import read_frame, uncompressed_frame
from imaging.dicom.layout import Layout
from imaging.dicom.pixels import Window
from imaging.dicom.reading import ReadingLimits, examine
from imaging.dicom.rendering import BadViewport, RenderOptions, Viewport, render
from imaging.dicom.transcode import to_explicit_little_endian
from tests.samples import (
    ct_slice,
    encapsulated,
    enhanced_ct,
    multi_frame,
    patient_study,
    rle,
    set_pixels,
    set_raw,
    to_bytes,
)

NATIVE = [ImplicitVRLittleEndian, ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian]


@pytest.fixture
def examined(tmp_path):
    """data set → (path, transfer syntax, layout, stored metadata) as the archive would hold it."""

    def keep(data: Dataset):
        path = tmp_path / "instance"
        path.write_bytes(to_bytes(data))
        found = examine(path, ReadingLimits())
        return path, found.transfer_syntax_uid, Layout.from_json(found.layout), found.metadata_json

    return keep


def in_syntax(data, syntax):
    data.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        data.PixelData = np.frombuffer(data.PixelData, "<u2").astype(">u2").tobytes()
    return data


@pytest.mark.parametrize("syntax", NATIVE)
def test_t47_every_native_form_gives_the_same_frame(examined, syntax):
    path, uid, layout, _ = examined(in_syntax(multi_frame(), syntax))
    assert read_frame(path, uid, layout, 3).samples.tolist() == [[300] * 32] * 32
    assert uncompressed_frame(path, uid, layout, 3) == (300).to_bytes(2, "little") * 32 * 32


@pytest.mark.parametrize("syntax", NATIVE)
def test_t41_every_native_form_is_rewritten_value_for_value(examined, tmp_path, syntax):
    data = ct_slice(size=16)
    path, uid, layout, _ = examined(in_syntax(ct_slice(size=16), syntax))
    size = to_explicit_little_endian(path, tmp_path / "out", uid, layout)
    written = dcmread(tmp_path / "out")
    assert size == (tmp_path / "out").stat().st_size
    assert written.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert written.file_meta.MediaStorageSOPInstanceUID == data.SOPInstanceUID
    assert {element.tag: element.value for element in written} == {element.tag: element.value for element in data}


def test_compressed_frames_are_decoded_one_after_the_other(examined, tmp_path):
    path, uid, layout, _ = examined(rle(multi_frame()))
    to_explicit_little_endian(path, tmp_path / "out", uid, layout)
    assert dcmread(tmp_path / "out").PixelData == multi_frame().PixelData


def test_values_that_no_reader_could_parse_survive(examined, tmp_path):
    data = ct_slice(size=16)
    set_raw(data, "SeriesNumber", "IS", b"12.5 abc")
    set_raw(data, "KVP", "DS", b"1,5 kV")
    data.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    data.set_original_encoding(True, True, data._character_set)
    path, uid, layout, _ = examined(data)
    to_explicit_little_endian(path, tmp_path / "out", uid, layout)
    written = (tmp_path / "out").read_bytes()
    assert b"IS\x08\x0012.5 abc" in written
    assert b"DS\x06\x001,5 kV" in written


def test_single_bits_of_several_frames_go_on_without_a_gap(examined, tmp_path):
    bits = np.random.default_rng(3).integers(0, 2, (3, 5, 5), np.uint8)
    data = patient_study("seg")
    set_pixels(data, bits)
    data.BitsAllocated = data.BitsStored = 1
    data.HighBit = 0
    data.PixelData = np.packbits(bits.ravel(), bitorder="little").tobytes()
    data.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    data["PixelData"].VR = "OB"
    path, uid, layout, _ = examined(data)
    assert np.array_equal(read_frame(path, uid, layout, 1).samples, bits[1])
    to_explicit_little_endian(path, tmp_path / "out", uid, layout)
    assert dcmread(tmp_path / "out").PixelData[:10] == data.PixelData[:10]


def test_what_has_no_decoder_is_refused_and_what_is_damaged_too(examined, tmp_path):
    retired = encapsulated(ct_slice(size=8), [b"\xff\xd8rubbish!"], "1.2.840.10008.1.2.4.53")
    path, uid, layout, _ = examined(retired)
    with pytest.raises(NoDecoder):
        to_explicit_little_endian(path, tmp_path / "out", uid, layout)
    damaged = encapsulated(ct_slice(size=8), [b"\xff\xd8rubbish!"], "1.2.840.10008.1.2.4.50")
    path, uid, layout, _ = examined(damaged)
    with pytest.raises(DamagedPixels):
        to_explicit_little_endian(path, tmp_path / "out", uid, layout)


def picture(kept, **options):
    path, uid, layout, metadata = kept
    body = render(path, uid, layout, metadata, RenderOptions(media_type="image/png", **options))
    return np.asarray(Image.open(io.BytesIO(body)))


def test_t50_the_objects_own_window_applies_unless_the_caller_names_one(examined):
    kept = examined(ct_slice(size=32))  # window -600/1500 after a rescale of -1024
    hu = ct_slice(size=32).pixel_array.astype(float) - 1024
    own = np.clip((hu - (-600 - 0.5)) / 1499 + 0.5, 0, 1) * 255
    assert np.array_equal(picture(kept), np.rint(own))
    asked = np.clip((hu - (40 - 0.5)) / 399 + 0.5, 0, 1) * 255
    assert np.array_equal(picture(kept, window=Window(40, 400)), np.rint(asked))


def test_t50_monochrome1_is_shown_inverted(examined):
    data = ct_slice(size=32)
    plain = picture(examined(data))
    data.PhotometricInterpretation = "MONOCHROME1"
    assert np.array_equal(picture(examined(data)), 255 - plain)


def test_t50_functional_groups_rule_over_the_top_level(examined):
    data = enhanced_ct(size=16)
    voi, value, group = Dataset(), Dataset(), Dataset()
    value.WindowCenter, value.WindowWidth = 1024 - 600, 1500
    voi.FrameVOILUTSequence = [value]
    data.SharedFunctionalGroupsSequence = [voi]
    own = Dataset()
    own.WindowCenter, own.WindowWidth = 1, 1
    group.FrameVOILUTSequence = [own]
    group.PlanePositionSequence = data.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    data.PerFrameFunctionalGroupsSequence[1] = group
    kept = examined(data)
    assert len(np.unique(picture(kept, frame=0))) > 2
    assert set(np.unique(picture(kept, frame=1))) <= {0, 255}


def test_t50_palette_colour_is_looked_up(examined):
    data = patient_study("palette")
    set_pixels(data, np.arange(4, dtype=np.uint8).reshape(2, 2))
    data.PhotometricInterpretation = "PALETTE COLOR"
    for colour, factor in (("Red", 1), ("Green", 2), ("Blue", 3)):
        setattr(data, f"{colour}PaletteColorLookupTableDescriptor", [4, 0, 16])
        table = (np.arange(4) * factor * 20 * 256).astype("<u2")
        setattr(data, f"{colour}PaletteColorLookupTableData", table.tobytes())
    assert picture(examined(data)).tolist() == [[[0, 0, 0], [20, 40, 60]], [[40, 80, 120], [60, 120, 180]]]


def test_t50_a_modality_lut_comes_before_the_window(examined):
    data = patient_study("lut")
    set_pixels(data, np.array([[0, 1], [2, 3]], np.uint16))
    item = Dataset()
    item.add_new("LUTDescriptor", "US", [4, 0, 16])
    item.ModalityLUTType = "OD"
    item.add_new("LUTData", "OW", np.array([300, 200, 100, 0], "<u2").tobytes())
    data.ModalityLUTSequence = [item]
    data.WindowCenter, data.WindowWidth, data.VOILUTFunction = 150, 300, "LINEAR_EXACT"
    assert picture(examined(data)).tolist() == [[255, 170], [85, 0]]


def test_a_palette_that_contradicts_itself_is_damage(examined):
    data = patient_study("palette")
    set_pixels(data, np.zeros((2, 2), np.uint8))
    data.PhotometricInterpretation = "PALETTE COLOR"
    data.RedPaletteColorLookupTableDescriptor = [4096, 0, 16]
    data.RedPaletteColorLookupTableData = b"\0\0"
    with pytest.raises(DamagedPixels):
        picture(examined(data))


def test_t50_the_viewport_keeps_proportions_crops_and_mirrors(examined):
    data = patient_study("viewport")
    set_pixels(data, np.repeat(np.arange(4, dtype=np.uint8) * 60, 2)[None, :].repeat(4, axis=0))
    kept = examined(data)
    assert picture(kept, viewport=Viewport(16, 16)).shape == (8, 16)
    assert picture(kept, viewport=Viewport(2, 4, (4, 0, 2, 4)))[0].tolist() == [120, 120]
    mirrored = picture(kept, viewport=Viewport(8, 4, (0, 0, -8, 4)))
    assert np.array_equal(mirrored, picture(kept)[:, ::-1])
    with pytest.raises(BadViewport):
        picture(kept, viewport=Viewport(8, 4, (4, 0, 8, 4)))


def test_security_08_two_renderings_are_the_same_bytes(examined):
    kept = examined(ct_slice(size=64))
    assert render(*kept, RenderOptions()) == render(*kept, RenderOptions())
