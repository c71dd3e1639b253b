import json
import struct
from base64 import b64encode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from imaging.dicom import elements, json_model
from imaging.dicom.elements import Encoding
from imaging.dicom.remarks import Remark
from tests.samples import named, set_raw

EXPLICIT = Encoding(implicit=False)


def written(data, *, implicit=False, big_endian=False):
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, not big_endian
    write_dataset(buffer, data)
    return buffer.getvalue()


def model_of(raw, encoding=EXPLICIT):
    scanned = elements.scan(raw, 0, encoding, max_depth=64, max_elements=10_000)
    return json_model.build(raw, scanned.elements, encoding)


def dataset(**attributes):
    data = Dataset()
    for keyword, value in attributes.items():
        setattr(data, keyword, value)
    return data


def raw_element(tag, vr, value):
    data = Dataset()
    set_raw(data, tag, vr, value)
    return written(data)


def test_t30_keys_ascend_and_groups_that_do_not_belong_are_left_out():
    raw = raw_element(0x00100020, "LO", b"ID") + raw_element(0x00080060, "CS", b"CT")
    raw = raw_element(0x00080000, "UL", struct.pack("<L", 4)) + raw
    assert list(model_of(raw).dataset) == ["00080060", "00100020"]


def test_t31_empty_values_have_no_value():
    data = dataset(PatientName="", ReferencedImageSequence=[], AccessionNumber="", PixelSpacing=[])
    assert model_of(written(data)).dataset == {
        "00080050": {"vr": "SH"},
        "00081140": {"vr": "SQ"},
        "00100010": {"vr": "PN"},
        "00280030": {"vr": "DS"},
    }


def test_t30_an_empty_item_is_an_empty_object():
    data = dataset(ReferencedImageSequence=[Dataset(), dataset(ReferencedSOPInstanceUID="1.2")])
    assert model_of(written(data)).dataset["00081140"]["Value"] == [{}, {"00081155": {"vr": "UI", "Value": ["1.2"]}}]


@pytest.mark.parametrize(("implicit", "big_endian"), [(False, False), (True, False), (False, True)])
def test_numbers_in_every_encoding(implicit, big_endian):
    data = dataset(Rows=512, SmallestImagePixelValue=-3, PixelRepresentation=1, SimpleFrameList=[1, 2])
    found = model_of(written(data, implicit=implicit, big_endian=big_endian), Encoding(implicit, big_endian)).dataset
    assert found["00280010"] == {"vr": "US", "Value": [512]}
    assert found["00280106"] == {"vr": "SS", "Value": [-3]}
    assert found["00081161"] == {"vr": "UL", "Value": [1, 2]}


def test_the_pixel_representation_settles_ambiguous_numbers_in_items():
    data = dataset(PixelRepresentation=1, ModalityLUTSequence=[dataset(LUTDescriptor=[2, 0, 16])])
    found = model_of(written(data, implicit=True), Encoding(implicit=True)).dataset
    assert found["00283000"]["Value"][0]["00283002"]["vr"] == "SS"


def test_t38_text_is_repaired_and_labelled_utf8():
    model = model_of(written(named("gbk_labelled_latin1")))
    assert model.dataset["00080005"] == {"vr": "CS", "Value": ["ISO_IR 192"]}
    assert model.dataset["00100010"]["Value"] == [{"Alphabetic": "Wang^XiaoDong", "Ideographic": "王^小东"}]
    assert model.remarks == {Remark.CHARSET_REPAIRED}


def test_t38_an_item_may_have_a_character_set_of_its_own():
    inner = raw_element(0x00080005, "CS", b"GB18030") + raw_element(0x0008103E, "LO", "胸部".encode("gb18030"))
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner
    raw = raw_element(0x00080005, "CS", b"ISO_IR 100") + b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<L", len(item)) + item
    raw += raw_element(0x00100010, "PN", "Müller".encode("latin-1"))
    found = model_of(raw).dataset
    assert found["00081140"]["Value"][0]["0008103E"]["Value"] == ["胸部"]
    assert found["00100010"]["Value"] == [{"Alphabetic": "Müller"}]


def test_t34_a_character_with_a_backslash_byte_is_not_split():
    raw = raw_element(0x00080005, "CS", b"GB18030") + raw_element(0x00081030, "LO", "乗客\\B".encode("gb18030"))
    assert model_of(raw).dataset["00081030"]["Value"] == ["乗客", "B"]


def test_t35_small_binary_is_inline_and_large_is_named_with_its_place():
    raw = raw_element(0x00420011, "OB", b"x" * 1024) + raw_element(0x00420013, "OB", b"y" * 1026)
    model = model_of(raw)
    assert model.dataset["00420011"]["InlineBinary"] == b64encode(b"x" * 1024).decode()
    assert model.dataset["00420013"] == {"vr": "OB", "BulkDataURI": "bulkdata/00420013"}
    offset, length, vr = model.bulk["00420013"]
    assert (raw[offset : offset + length], vr) == (b"y" * 1026, "OB")


def test_t35_bulk_inside_sequences_is_named_by_its_path():
    inner = raw_element(0x00281201, "OW", b"z" * 2000)
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner
    empty = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    raw = b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<L", len(item) + 8) + empty + item
    model = model_of(raw)
    assert model.dataset["00081140"]["Value"][1]["00281201"]["BulkDataURI"] == "bulkdata/00081140/1/00281201"
    offset, length, _ = model.bulk["00081140/1/00281201"]
    assert raw[offset : offset + length] == b"z" * 2000


def test_t35_pixel_data_is_bulk_however_small():
    model = model_of(raw_element(0x7FE00010, "OW", b"\1\2"))
    assert model.dataset["7FE00010"] == {"vr": "OW", "BulkDataURI": "bulkdata/7FE00010"}


def test_long_text_is_bulk_but_not_where_the_model_has_no_place_for_it():
    raw = raw_element(0x0040A160, "UT", b"t" * 70_000)
    assert "BulkDataURI" in model_of(raw).dataset["0040A160"]


def test_a_value_that_does_not_fit_its_vr_is_kept_as_unknown_bytes():
    model = model_of(b"\x28\x00\x10\x00US\x03\x00abc")
    assert model.dataset["00280010"] == {"vr": "UN", "InlineBinary": b64encode(b"abc").decode()}
    assert model.remarks == {Remark.ELEMENT_LENGTH_INVALID}


def test_t33_text_that_is_no_number_is_kept_and_remarked():
    model = model_of(raw_element(0x00280008, "IS", b"1A"))
    assert model.dataset["00280008"]["Value"] == ["1A"]
    assert model.remarks == {Remark.VALUE_INVALID}


def test_an_unknown_character_set_is_remarked():
    model = model_of(b"\x08\x00\x05\x00CS\x08\x00KLINGON " + raw_element(0x00100020, "LO", b"1"))
    assert model.remarks == {Remark.CHARSET_UNKNOWN}


def test_the_first_of_two_elements_with_one_tag_counts():
    raw = raw_element(0x00100020, "LO", b"ONE ") + raw_element(0x00100020, "LO", b"TWO ")
    assert model_of(raw).dataset["00100020"]["Value"] == ["ONE"]


@given(
    st.binary(max_size=80),
    st.sampled_from(["PN", "LO", "UI", "DS", "IS", "FD", "AT", "US", "UV", "DA", "LT", "OW", "UR"]),
)
def test_t30_any_bytes_make_valid_json(value, vr):
    model = model_of(raw_element(0x00091001, vr, value))
    decoded = json.loads(msgspec.json.encode(model.dataset))
    member = decoded["00091001"]
    assert len(member.keys() & {"Value", "InlineBinary", "BulkDataURI"}) <= 1


def item_of(*members):
    inner = b"".join(members)
    item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner
    return b"\x08\x00\x40\x11SQ\0\0" + struct.pack("<L", len(item)) + item


def test_t31_a_blank_among_values_is_null():
    raw = raw_element(0x00080008, "CS", b"ORIGINAL\\\\AXIAL") + raw_element(0x00281050, "DS", b"40\\ ")
    found = model_of(raw).dataset
    assert found["00080008"]["Value"] == ["ORIGINAL", None, "AXIAL"]
    assert found["00281050"]["Value"] == [40, None]


def test_t32_no_number_that_json_cannot_say():
    raw = raw_element(0x00189073, "FD", struct.pack("<3d", float("nan"), float("inf"), 1.5))
    text = msgspec.json.encode(model_of(raw).dataset)
    found = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert found["00189073"]["Value"] == [None, None, 1.5]


def test_t33_numbers_in_text_stay_what_they_are():
    raw = raw_element(0x00200013, "IS", b"12.5") + raw_element(0x00280030, "DS", b"1,5\\0.12345678901234567890\\1E2")
    found = model_of(raw).dataset
    assert found["00200013"]["Value"] == ["12.5"]
    assert found["00280030"]["Value"] == ["1,5", "0.12345678901234567890", 100]


def test_t34_no_byte_of_a_character_is_a_delimiter():
    assert ["乗".encode("gbk")[1:], "乛".encode("gbk")[1:]] == [b"\\", b"^"]
    encoded = "乗^乛=乛^乗".encode("gbk")
    raw = raw_element(0x00080005, "CS", b"GBK") + raw_element(0x00100010, "PN", encoded + b"\\" + encoded)
    raw += raw_element(0x00102000, "LO", "乗\\乛".encode("gbk")) + raw_element(0x001021B0, "LT", "乗\\乛".encode("gbk"))
    found = model_of(raw).dataset
    assert found["00100010"]["Value"] == [{"Alphabetic": "乗^乛", "Ideographic": "乛^乗"}] * 2
    assert found["00102000"]["Value"] == ["乗", "乛"]
    assert found["001021B0"]["Value"] == ["乗\\乛"]


def test_t35_long_lists_of_floats_are_never_written_out():
    raw = b"\x66\x00\x16\x00OF\0\0" + struct.pack("<L", 6000) + bytes(6000)
    assert model_of(raw).dataset["00660016"] == {"vr": "OF", "BulkDataURI": "bulkdata/00660016"}


def test_t36_private_tags_keep_their_creator_and_their_vr_if_they_have_one():
    explicit = raw_element(0x00091001, "FD", struct.pack("<d", 2.5))
    found = model_of(raw_element(0x00090010, "LO", b"UIH ") + explicit).dataset
    assert found == {"00090010": {"vr": "LO", "Value": ["UIH"]}, "00091001": {"vr": "FD", "Value": [2.5]}}
    implicit = struct.pack("<HHL", 9, 0x10, 4) + b"UIH " + struct.pack("<HHLd", 9, 0x1001, 8, 2.5)
    found = model_of(implicit, Encoding(implicit=True)).dataset
    assert found["00090010"] == {"vr": "LO", "Value": ["UIH"]}
    assert found["00091001"] == {"vr": "UN", "InlineBinary": b64encode(struct.pack("<d", 2.5)).decode()}


def test_t37_names_keep_all_groups_components_and_values():
    value = "Wang^Xiao^Dong^Dr^PhD=王^小^东=ㄨㄤ^ㄒ\\=李^四\\^^^^\\Li^Si=="
    raw = raw_element(0x00080005, "CS", b"ISO_IR 192") + raw_element(0x00081050, "PN", value.encode())
    assert model_of(raw).dataset["00081050"]["Value"] == [
        {"Alphabetic": "Wang^Xiao^Dong^Dr^PhD", "Ideographic": "王^小^东", "Phonetic": "ㄨㄤ^ㄒ"},
        {"Ideographic": "李^四"},
        None,
        {"Alphabetic": "Li^Si"},
    ]


def test_t38_several_sets_switched_by_escapes_hold_in_every_value():
    china = b"Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab="
    korea = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7"
    raw = raw_element(0x00080005, "CS", b"\\ISO 2022 IR 58\\ISO 2022 IR 149")
    raw += raw_element(0x0008103E, "LO", b"\x1b$)A\xd0\xd8\xb2\xbf\\plain")
    raw += raw_element(0x00081050, "PN", china + b"\\" + korea)
    model = model_of(raw)
    assert model.dataset["0008103E"]["Value"] == ["胸部", "plain"]
    assert model.dataset["00081050"]["Value"] == [
        {"Alphabetic": "Zhang^XiaoDong", "Ideographic": "张^小东"},
        {"Alphabetic": "Hong^Gildong", "Ideographic": "洪^吉洞"},
    ]
    assert model.dataset["00080005"]["Value"] == ["ISO_IR 192"]
    assert model.remarks == set()


def test_t39_a_file_mislabelled_throughout_is_repaired_in_items_and_private_names():
    """As United Imaging scanners are known to write: ISO_IR 192 declared, GB18030 written."""

    def gb(tag, vr, text):
        return raw_element(tag, vr, text.encode("gb18030"))

    private = raw_element(0x00090010, "LO", b"UIH ") + gb(0x00091001, "PN", "李^四")
    nested = item_of(raw_element(0x00080005, "CS", b"ISO_IR 192"), gb(0x00081050, "PN", "赵^敏"), private)
    model = model_of(
        raw_element(0x00080005, "CS", b"ISO_IR 192") + gb(0x0008103E, "LO", "胸部平扫") + nested
        + private + gb(0x00100010, "PN", "王^小东")
    )  # fmt: skip
    inner = model.dataset["00081140"]["Value"][0]
    assert [inner["00081050"]["Value"], inner["00091001"]["Value"]] == [
        [{"Alphabetic": "赵^敏"}],
        [{"Alphabetic": "李^四"}],
    ]
    assert model.dataset["0008103E"]["Value"] == ["胸部平扫"]
    assert model.dataset["00091001"]["Value"] == [{"Alphabetic": "李^四"}]
    assert model.dataset["00100010"]["Value"] == [{"Alphabetic": "王^小东"}]
    assert model.remarks == {Remark.CHARSET_REPAIRED}
