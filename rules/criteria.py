"""Criteria: a tree of conditions joined by all of, any of, at least k of, none of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rules.vocabulary import Limit, Operator


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a metric with a limit; ``limit`` is None for *is (not) known*."""

    metric: str
    operator: Operator
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class QualifiesFor:
    """The entry criteria of a lower tier hold: a prerequisite."""

    tier: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Criteria, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part or more holds."""

    parts: tuple[Criteria, ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """``k`` parts or more hold."""

    k: int
    parts: tuple[Criteria, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """No part holds."""

    parts: tuple[Criteria, ...]


Group = AllOf | AnyOf | AtLeast | NoneOf
Criteria = Condition | QualifiesFor | Group


def walk(criteria: Criteria) -> Iterator[Criteria]:
    """Yield every node, parents before their parts, in the order they are written."""
    yield criteria
    if isinstance(criteria, Group):
        for part in criteria.parts:
            yield from walk(part)
