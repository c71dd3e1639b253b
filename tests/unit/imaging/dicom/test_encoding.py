import numpy as np
import pytest
from pydicom import dcmread

from imaging.dicom.encoding import ENCODERS, lossless_frame, targets
from imaging.dicom.htj2k import NoCopy
from imaging.dicom.layout import Layout
from imaging.dicom.reading import ReadingLimits, examine
from imaging.dicom.transcode import REWRITTEN, rewrite
from tests.samples import ct_slice, multi_frame, patient_study, rle, set_pixels, to_bytes

NATIVE = "1.2.840.10008.1.2.1"


def grey():
    return ct_slice("encoding", count=1, size=32)


def signed():
    data = grey()
    data.PixelRepresentation = 1
    data.PixelData = (np.frombuffer(data.PixelData, np.uint16).astype(np.int16) - 1024).tobytes()
    return data


def colour():
    data = patient_study("encoding", "1.2.840.10008.5.1.4.1.1.7")
    set_pixels(data, np.zeros((16, 24), np.uint8))
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PlanarConfiguration = 3, "RGB", 0
    data.PixelData = np.random.default_rng(1).integers(0, 256, 16 * 24 * 3, np.uint8).tobytes()
    return data


@pytest.fixture
def stored(tmp_path):
    """A data set → the path of its file, its transfer syntax and its layout."""

    def write(data):
        path = tmp_path / "stored.dcm"
        path.write_bytes(to_bytes(data))
        examined = examine(path, ReadingLimits())
        return path, examined.transfer_syntax_uid, Layout.from_json(examined.layout)

    return write


@pytest.mark.parametrize("make", [grey, signed, colour, lambda: multi_frame(3, 16)], ids=["grey", "signed", "rgb", "3"])
@pytest.mark.parametrize("wanted", ENCODERS)
def test_t41_compressed_and_back_every_value_is_the_same(stored, tmp_path, make, wanted):
    data = make()
    path, syntax, layout = stored(data)
    there, back = tmp_path / "there.dcm", tmp_path / "back.dcm"
    assert wanted in targets(syntax, layout)
    rewrite(path, there, syntax, layout, wanted)
    examined = examine(there, ReadingLimits())
    assert (examined.transfer_syntax_uid, examined.sop_instance_uid) == (wanted, data.SOPInstanceUID)
    assert examined.remarks == []
    rewrite(there, back, wanted, Layout.from_json(examined.layout), NATIVE)
    assert dcmread(back) == dcmread(path)
    assert "LossyImageCompression" not in dcmread(there)


@pytest.mark.parametrize("wanted", REWRITTEN)
@pytest.mark.parametrize("make", [grey, lambda: rle(multi_frame(2, 16))], ids=["native", "rle"])
def test_t41_every_native_syntax_is_written(stored, tmp_path, make, wanted):
    path, syntax, layout = stored(make())
    out, plain = tmp_path / "out.dcm", tmp_path / "plain.dcm"
    size = rewrite(path, out, syntax, layout, wanted)
    assert size == out.stat().st_size
    examined = examine(out, ReadingLimits())
    assert (examined.transfer_syntax_uid, examined.remarks) == (wanted, [])
    rewrite(path, plain, syntax, layout, NATIVE)
    assert dcmread(out) == dcmread(plain)


def test_bits_that_would_be_lost_are_refused(stored):
    data = grey()
    data.BitsStored, data.HighBit = 12, 11
    data.PixelData = b"\xff\xff" * (32 * 32)
    path, syntax, layout = stored(data)
    with pytest.raises(NoCopy):
        lossless_frame(path, syntax, layout, 0, "1.2.840.10008.1.2.4.80")


def test_colours_that_would_be_read_otherwise_have_no_compressed_form(stored):
    data = colour()
    data.PhotometricInterpretation = "YBR_FULL"
    _, syntax, layout = stored(data)
    assert targets(syntax, layout) == []
