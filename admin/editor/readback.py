"""What was written, read back in sentences: of a page as a whole, or of one entry of its list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from admin.editor.desk import Desk
from rules.aspects import example_lines
from rules.describe import (
    Line,
    criteria_lines,
    demotion_lines,
    groups_lines,
    letter_sentence,
    metric_sentence,
    promotion_lines,
    segment_lines,
    settlement_lines,
    standard_sentence,
    tier_lines,
    transition_lines,
)
from rules.messages import Message
from rules.policy import Policy, Tier


def read_back(desk: Desk, part: str, path: str, *, brief: bool = False) -> tuple[Line, ...]:
    """Return what a part of a draft says, as far as it could be read.

    :param brief: whether it stands in a list, where the whole would be too long.
    """
    policy = desk.policy
    if policy is None:
        return ()
    if not path:
        return tuple(_whole(policy, part))
    found = desk.get(path)
    key = found.get("key") if isinstance(found, dict) else None
    if part == "examples":
        return tuple(_example(desk, path))
    parts: Iterable[Any] = {
        "tiers": policy.tiers,
        "figures": policy.metrics.values(),
        "segments": policy.segments,
        "promises": policy.standards,
        "ways-down": policy.demotion_policies,
        "letters": policy.letters,
    }[part]
    entry = next((each for each in parts if each.key == key), None)
    return () if entry is None else tuple(_entry(policy, part, entry, brief=brief))


def _whole(policy: Policy, part: str) -> Iterator[Line]:
    match part:
        case "policy":
            yield from settlement_lines(policy)
        case "rising":
            yield from promotion_lines(policy)
            yield from groups_lines(policy)
        case "transition":
            yield from transition_lines(policy)


def _entry(policy: Policy, part: str, entry: Any, *, brief: bool) -> Iterator[Line]:
    match part:
        case "tiers":
            yield from _rung(policy, entry) if brief else tier_lines(policy, entry)
        case "figures":
            yield Line(0, metric_sentence(policy, entry))
        case "segments":
            yield from segment_lines(policy, entry)
        case "promises":
            yield Line(0, standard_sentence(entry))
        case "ways-down":
            yield from demotion_lines(policy, entry)
        case "letters":
            yield Line(0, letter_sentence(entry))


def _rung(policy: Policy, tier: Tier) -> Iterator[Line]:
    if tier.entry is None:
        yield Line(0, Message("everybody"))
    else:
        yield from criteria_lines(policy, tier.entry)


def _example(desk: Desk, path: str) -> Iterator[Line]:
    """Say what an example gives and of what figures; only of a draft that is whole.

    Of another, nobody could say which of its examples could be read.
    """
    policy = desk.policy
    if policy is None or desk.reading.problems:
        return
    example = policy.examples[int(path.partition("[")[2].partition("]")[0])]
    lines = example_lines(policy, example)
    yield next(lines)
    yield from islice(lines, len(example.name), None)
