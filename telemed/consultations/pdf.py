"""The signed opinion as a PDF/A for print and file: Chinese text, its own embedded font, the same bytes every time.

The page is a Typst template; this module prepares what it shows. The font and its coverage are decided in
docs/decisions/0006-pdf-and-fonts.md.
"""

import asyncio
import re
import unicodedata
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import msgspec
import typst
from msgspec import Struct

from telemed.consultations.document import Document, Party
from telemed.consultations.model import Urgency

HERE: Final = Path(__file__).parent
TEMPLATE: Final = HERE / "opinion.typ"
FONTS: Final = HERE / "fonts"
# Clinical documents carry the wall time of the hospitals, which all of China shares.
BEIJING: Final = timezone(timedelta(hours=8))

TITLE: Final = "远程会诊意见书"
SEXES: Final = {"M": "男", "F": "女", "O": "其他"}
AGE_UNITS: Final = {"Y": "岁", "M": "个月", "W": "周", "D": "天"}
URGENCIES: Final = {Urgency.ORDINARY: "普通会诊", Urgency.URGENT: "紧急会诊"}
NOTES: Final = (
    "本意见由受邀方医师出具并以登录密码电子签名，供邀请方参考；诊断与治疗由邀请方决定。",
    "页脚的 SHA-256 由签名时冻结的全部内容（申请、患者、检查与意见）计算，任何改动都会使其不同。时间均为北京时间。",
)
SUBSTITUTE_NOTE: Final = "〔U+……〕表示打印字库未收录的字符，以其 Unicode 编码代替。"
UNKNOWN: Final = "—"


class Outcome(Struct, frozen=True):
    """What the requesting side did with the opinion. at: aware."""

    handling: str
    by: Party
    at: datetime


class Row(Struct, frozen=True):
    label: str
    value: str
    wide: bool = False


class Section(Struct, frozen=True):
    heading: str
    text: str


class Signature(Struct, frozen=True):
    role: str
    name: str
    title: str
    institution: str
    when_label: str
    at: str


class Sheet(Struct, frozen=True):
    """What the template shows, in the order in which it shows it."""

    title: str
    institution: str
    number: str
    urgency: str
    running_head: str
    sha256: str
    patient: list[Row]
    request: list[Row]
    application: list[Section]
    opinion: list[Section]
    signature: Signature
    outcome: Section | None
    confirmation: Signature | None
    notes: list[str]


class OpinionPrinter:
    """Makes the PDF in a thread. The font is read once, at the first print."""

    async def print(self, document: Document, sha256: str, outcome: Outcome | None) -> bytes:
        return await asyncio.to_thread(self._print, document, sha256, outcome)

    def _print(self, document: Document, sha256: str, outcome: Outcome | None) -> bytes:
        filled = sheet(document, sha256, outcome)
        shown = printable(filled, self._uncovered)
        if shown != msgspec.to_builtins(filled):
            shown["notes"].append(SUBSTITUTE_NOTE)
        return compile_sheet(shown, document.signed_at)

    @cached_property
    def _uncovered(self) -> re.Pattern[str]:
        return uncovered_pattern(covered_characters())


def covered_characters() -> str:
    """What can be printed: the Chinese font's characters, and signs only the engine's own font has (10⁹, SpO₂)."""
    return "".join((FONTS / name).read_text(encoding="utf-8") for name in ("characters.txt", "symbols.txt"))


def compile_sheet(shown: dict[str, Any], at: datetime) -> bytes:
    """The PDF/A-2u of a sheet; ``at`` goes into its metadata. Every character must be covered."""
    encoded = msgspec.json.encode(shown).decode()
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FONTS])
    compiler = typst.Compiler(TEMPLATE, root=HERE, font_paths=fonts, sys_inputs={"sheet": encoded})
    made = compiler.compile(format="pdf", pdf_standards="a-2u", timestamp=at.replace(microsecond=0))
    assert isinstance(made, bytes)
    return made


def uncovered_pattern(characters: str) -> re.Pattern[str]:
    """Matches one character that the fonts cannot show; line feeds are layout, not glyphs."""
    covered = "".join(re.escape(character) for character in sorted(set(characters) | {"\n"}))
    return re.compile(f"[^{covered}]")


def printable(value: Any, uncovered: re.Pattern[str]) -> Any:
    """``value`` as plain lists and mappings whose strings hold only what the fonts show.

    What it lacks is shown by code point: a patient's name must not lose a character silently. Only characters without
    a shape (format controls such as the zero-width space) are dropped.
    """
    match value:
        case str():
            return uncovered.sub(_substitute, value.replace("\r\n", "\n").replace("\t", "    "))
        case list():
            return [printable(item, uncovered) for item in value]
        case dict():
            return {key: printable(item, uncovered) for key, item in value.items()}
        case Struct():
            return printable(msgspec.to_builtins(value), uncovered)
    return value


def _substitute(match: re.Match[str]) -> str:
    character = match[0]
    return "" if unicodedata.category(character) == "Cf" else f"〔U+{ord(character):04X}〕"


def sheet(document: Document, sha256: str, outcome: Outcome | None) -> Sheet:
    subject, requester, expert = document.subject, document.requested_by, document.signed_by
    return Sheet(
        title=TITLE,
        institution=expert.hospital_name,
        number=f"会诊编号 {document.consultation_id}",
        urgency=URGENCIES[document.urgency],
        running_head=f"{TITLE}　{subject.patient_name or UNKNOWN}　{sex(subject.patient_sex)}",
        sha256=sha256,
        patient=_patient_rows(document),
        request=_request_rows(document, requester, expert),
        application=[
            Section("会诊原因", document.reason),
            Section("会诊目的", document.purpose),
            Section("病历摘要", document.summary),
        ],
        opinion=[
            Section("会诊所见", document.opinion.findings),
            Section("会诊意见", document.opinion.conclusion),
            Section("诊疗建议", document.opinion.advice),
        ],
        signature=_signature("会诊专家（电子签名）", "签名时间", expert, document.signed_at),
        outcome=Section("邀请方处理情况", outcome.handling) if outcome else None,
        confirmation=_signature("邀请方确认医师", "确认时间", outcome.by, outcome.at) if outcome else None,
        notes=list(NOTES),
    )


def _patient_rows(document: Document) -> list[Row]:
    subject = document.subject
    issuer = f"（{subject.issuer_of_patient_id}）" if subject.issuer_of_patient_id else ""
    study = [subject.study_date, "/".join(subject.modalities), subject.study_description, subject.accession_number]
    return [
        Row("患者姓名", subject.patient_name or UNKNOWN),
        Row("性别", sex(subject.patient_sex)),
        Row("年龄", age(subject.patient_age)),
        Row("出生日期", subject.patient_birth_date or UNKNOWN),
        Row("患者编号", (subject.patient_id or UNKNOWN) + issuer, wide=True),
        Row("影像检查", "　".join(filter(None, study)) or UNKNOWN, wide=True),
        Row("检查 UID", subject.study_instance_uid, wide=True),
    ]


def _request_rows(document: Document, requester: Party, expert: Party) -> list[Row]:
    return [
        Row("邀请方", requester.hospital_name),
        Row("申请医师", _named(requester)),
        Row("受邀方", expert.hospital_name),
        Row("会诊专家", _named(expert)),
        Row("申请专科", document.requested_specialty),
        Row("申请职称", document.requested_title),
        Row("申请时间", wall_time(document.created_at)),
        Row("约定时间", wall_time(document.scheduled_at)),
    ]


def _named(who: Party) -> str:
    return f"{who.name}　{who.title}".strip()


def _signature(role: str, when_label: str, who: Party, at: datetime) -> Signature:
    return Signature(role, who.name, who.title, who.hospital_name, when_label, wall_time(at))


def wall_time(at: datetime) -> str:
    """To the minute, in Beijing time: "2026-11-23 14:05"."""
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M}"


def sex(code: str) -> str:
    """Patient's Sex (PS3.3 C.7.1.1) in Chinese."""
    return SEXES.get(code, UNKNOWN)


def age(code: str) -> str:
    """An Age String (PS3.5 table 6.2-1, "045Y") in Chinese: "45岁"."""
    match = re.fullmatch(r"(\d{3})([DWMY])", code)
    return f"{int(match[1])}{AGE_UNITS[match[2]]}" if match else code or UNKNOWN
