"""Which studies an endpoint wants: a small tree of data, never an evaluated expression. Pure.

A node is one of::

    {"all": [node, …]}            every one
    {"any": [node, …]}            at least one
    {"modality": ["CT", …]}       one of the study's modalities
    {"body_part": ["CHEST", …]}   one of the study's Body Part Examined values
    {"instances": {"min": 1, "max": 2000}}
"""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from imaging.review.errors import RulesInvalid

_MAX_DEPTH = 8

Names = Annotated[list[Annotated[str, msgspec.Meta(min_length=1, max_length=64)]], msgspec.Meta(min_length=1)]


class Between(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    min: int = 0
    max: int | None = None


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Exactly one member is set (checked by :func:`parse`)."""

    all: list["Node"] | None = None
    any: list["Node"] | None = None
    modality: Names | None = None
    body_part: Names | None = None
    instances: Between | None = None


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What rules may ask about a study. Words are upper case."""

    modalities: frozenset[str]
    body_parts: frozenset[str]
    instance_count: int


def parse(rules: dict[str, Any]) -> Node:
    """The tree behind stored or submitted data. Raises :class:`RulesInvalid`, naming the place."""
    try:
        node = msgspec.convert(rules, Node)
    except msgspec.ValidationError as error:
        raise RulesInvalid(f"The rules do not fit: {error}") from error
    _check(node, _MAX_DEPTH)
    return node


def _check(node: Node, depth: int) -> None:
    if depth == 0:
        raise RulesInvalid(f"The rules are nested more than {_MAX_DEPTH} deep.")
    if len([name for name in node.__struct_fields__ if getattr(node, name) is not None]) != 1:
        raise RulesInvalid("Each clause has exactly one of all, any, modality, body_part, instances.")
    for child in (node.all or []) + (node.any or []):
        _check(child, depth - 1)


def why_not(node: Node, facts: StudyFacts) -> list[str]:
    """The clauses that keep the study out, in words; empty when it matches."""
    if node.all is not None:
        return [reason for child in node.all for reason in why_not(child, facts)]
    if node.any is not None:
        return _none_of(node.any, facts)
    if node.modality is not None:
        return _absent("modality", node.modality, facts.modalities)
    if node.body_part is not None:
        return _absent("body part", node.body_part, facts.body_parts)
    return _outside(node.instances or Between(), facts.instance_count)


def _none_of(children: list[Node], facts: StudyFacts) -> list[str]:
    reasons = [why_not(child, facts) for child in children]
    return [] if any(not each for each in reasons) else [" or ".join(" and ".join(each) for each in reasons) or "none"]


def _absent(what: str, wanted: list[str], present: frozenset[str]) -> list[str]:
    if present & {name.upper() for name in wanted}:
        return []
    return [f"{what} is {', '.join(sorted(present)) or 'not given'}, wanted {', '.join(wanted)}"]


def _outside(wanted: Between, count: int) -> list[str]:
    if count < wanted.min:
        return [f"{count} instances, wanted at least {wanted.min}"]
    if wanted.max is not None and count > wanted.max:
        return [f"{count} instances, wanted at most {wanted.max}"]
    return []
