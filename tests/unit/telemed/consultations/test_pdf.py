import io
from datetime import UTC, datetime, timedelta

import msgspec
import pypdf
import pytest
from msgspec.structs import replace

from telemed.consultations.document import Document, OpinionText, Party, Subject
from telemed.consultations.model import Urgency
from telemed.consultations.pdf import (
    SUBSTITUTE_NOTE,
    OpinionPrinter,
    Outcome,
    age,
    compile_sheet,
    covered_characters,
    printable,
    sex,
    sheet,
    uncovered_pattern,
    wall_time,
)

AT = datetime(2026, 11, 23, 16, 5, tzinfo=UTC)
REQUESTER = Party("u1", "陈静", "主治医师", "WZ01", "温州市第一医院")
EXPERT = Party("u2", "李明华", "主任医师", "SH01", "上海示范医院")
DOCUMENT = Document(
    consultation_id="01JDC5V0QK3M8Z7W2X4Y6N9P1R",
    urgency=Urgency.URGENT,
    subject=Subject("王小东", "M", "1969-03-12", "057Y", "WZ-00482913", "WZ01", "1.2.826.0.1", "2026-11-22", "胸部CT"),
    requested_by=REQUESTER,
    requested_specialty="呼吸内科",
    requested_title="副主任医师及以上",
    reason="结节性质待定",
    purpose="明确诊断",
    summary="咳嗽两周，SpO₂ 96%，WBC 11.2×10⁹/L，T 37.8℃",
    created_at=AT - timedelta(days=1),
    scheduled_at=AT,
    opinion=OpinionText("右肺上叶结节。", "考虑早期肺腺癌。", "胸外科评估。"),
    version=3,
    signed_by=EXPERT,
    signed_at=AT,
)
HASH = "9101d8b5c016ada44d78a770df6a2a98f7786f84f96d151b80308a37ee1814f7"


async def printed(document=DOCUMENT, outcome=None):
    return pypdf.PdfReader(io.BytesIO(await OpinionPrinter().print(document, HASH, outcome)))


def text_of(reader):
    """All text, without the blanks that the layout puts between Chinese and Latin letters."""
    return "".join("".join(page.extract_text() for page in reader.pages).split())


async def test_the_page_is_a4_and_says_everything():
    reader = await printed(outcome=Outcome("已转胸外科", REQUESTER, AT + timedelta(hours=1)))
    width, height = (float(value) * 25.4 / 72 for value in reader.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (210, 297)
    text = text_of(reader)
    for shown in (
        "远程会诊意见书",
        "紧急会诊",
        "王小东",
        "57岁",
        "1969-03-12",
        "WZ-00482913（WZ01）",
        "温州市第一医院",
        "上海示范医院",
        "呼吸内科",
        "结节性质待定",
        "SpO₂96%",
        "10⁹/L",
        "右肺上叶结节。",
        "考虑早期肺腺癌。",
        "胸外科评估。",
        "会诊专家（电子签名）",
        "李明华主任医师",
        "2026-11-2400:05",
        "已转胸外科",
        "陈静主治医师",
        "2026-11-2401:05",
        f"SHA-256{HASH}",
        "第1页",
    ):
        assert shown in text


async def test_all_fonts_are_embedded():
    fonts = (await printed()).pages[0]["/Resources"]["/Font"]
    names = []
    for font in fonts.values():
        descendant = font.get_object()["/DescendantFonts"][0].get_object()
        names.append(descendant["/BaseFont"])
        assert {"/FontFile3", "/FontFile2"} & descendant["/FontDescriptor"].get_object().keys()
    assert any("NotoSansCJK" in name for name in names)


async def test_nothing_a_person_types_is_markup():
    typed = '#let x = 1 #panic("x") $x^2$ *b* _i_ `c` \\ @ref <tag> // c /* d */ = h [z] {"} "q"'
    document = replace(DOCUMENT, opinion=OpinionText(typed, typed, typed), subject=Subject(patient_name=typed))
    text = text_of(await printed(document))
    assert text.count("".join(typed.split())) >= 4


async def test_what_the_fonts_lack_is_shown_by_its_code_point():
    document = replace(DOCUMENT, subject=Subject(patient_name="王𰻝🙂\x07\u200b\ue000"))
    text = text_of(await printed(document))
    assert "王〔U+30EDD〕〔U+1F642〕〔U+0007〕〔U+E000〕" in text
    assert "".join(SUBSTITUTE_NOTE.split()) in text


async def test_the_substitutes_are_explained_only_where_there_are_any():
    assert "Unicode编码代替" not in text_of(await printed())


async def test_rare_characters_of_names_are_in_the_font():
    names = "䶮㑇喆堃昇燚犇赟陞龍龜臺"
    text = text_of(await printed(replace(DOCUMENT, subject=Subject(patient_name=names))))
    assert names in text


def test_every_character_that_counts_as_covered_can_be_printed():
    # PDF/A refuses a glyph that is missing: this fails when the lists say more than the fonts hold.
    shown = msgspec.to_builtins(sheet(DOCUMENT, HASH, None))
    shown["opinion"] = [{"heading": "字库", "text": covered_characters()}]
    assert compile_sheet(shown, AT).startswith(b"%PDF")


async def test_a_long_opinion_goes_over_pages_that_name_the_patient():
    long = replace(DOCUMENT, opinion=OpinionText("右肺上叶结节。\n" * 120, "结论。", ""))
    reader = await printed(long)
    assert len(reader.pages) > 2
    for page in reader.pages[1:]:
        assert "王小东" in page.extract_text()
    assert f"共{len(reader.pages)}页" in text_of(reader)


async def test_the_same_document_gives_the_same_bytes():
    assert await OpinionPrinter().print(DOCUMENT, HASH, None) == await OpinionPrinter().print(DOCUMENT, HASH, None)


async def test_an_almost_empty_document_prints_dashes():
    bare = replace(
        DOCUMENT, subject=Subject(), opinion=OpinionText("", "结论", ""), requested_by=Party("u", "", "", "", "")
    )
    assert "患者姓名—性别—年龄—" in text_of(await printed(bare)).replace("\n", "")


@pytest.mark.parametrize(
    ("code", "shown"), [("057Y", "57岁"), ("006M", "6个月"), ("010D", "10天"), ("002W", "2周"), ("", "—"), ("57", "57")]
)
def test_an_age_in_chinese(code, shown):
    assert age(code) == shown


@pytest.mark.parametrize(("code", "shown"), [("M", "男"), ("F", "女"), ("O", "其他"), ("", "—"), ("X", "—")])
def test_a_sex_in_chinese(code, shown):
    assert sex(code) == shown


def test_times_are_the_wall_times_of_the_hospitals():
    assert wall_time(AT) == "2026-11-24 00:05"


def test_line_ends_of_every_kind_become_one():
    assert printable("一\r\n二\t三", uncovered_pattern("一二三 ")) == "一\n二    三"
