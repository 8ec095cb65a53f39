"""durable_rules, held inside the envelope in which it was measured exact (docs/engine.md).

What passes here are rules — comparisons of numbered integers, all of which must hold — and lists
of integers; what comes back is which rules fired.  Names, text, fractions and nothing are kept
out by construction.  Its Python layer is left out too: the entry points of the C extension are
ten times faster and start no threads.  They are private to a frozen release, so its version is
pinned and ``tests/rules/test_library.py`` holds each of them to what is relied on here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from operator import itemgetter
from typing import Any, NamedTuple

import durable_rules_engine as durable

from rules.messages import Message

RULES_PER_SET = 48
"""Past 64 conditions met at once the library answers nothing; past 512 in a set it hangs."""

LARGEST_INTEGER = 2**53
"""How far it was measured exact; from 2^63 on, all numbers are one to the library."""

_NOT_HANDLED, _OBSERVED = 1, 2
_TRIES = 5
_names = count(1)
_ids = count(1)


class EngineFailure(RuntimeError):
    """durable_rules did not answer as it should; no tier may be named from this evaluation."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.message = Message("The rules engine failed: %(reason)s.", reason=reason)
        super().__init__(self.message)


class Comparison(NamedTuple):
    """The integer in ``slot`` compared with a limit: ``$gte $gt $lte $lt $eq``."""

    sign: str
    slot: int
    limit: int


Rule = tuple[Comparison, ...]
"""A rule fires when all of its comparisons hold; a slot without an integer holds in none."""


class RuleSets:
    """Rules, in as many rule sets as their number asks for.

    Making one takes memory the process never gets back.  Not thread-safe: one caller at a time.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._sets = [
            _RuleSet(rules[first : first + RULES_PER_SET], first)
            for first in range(0, len(rules), RULES_PER_SET)
        ]

    def fired(self, values: Sequence[int | None]) -> list[int]:
        """Return the places of the rules that fire on these integers, None where there is none.

        :raises EngineFailure: if the library does not answer as it should.
        """
        found: list[int] = []
        for each in self._sets:
            each.fire(values, found)
        return found


class _RuleSet:
    def __init__(self, rules: Sequence[Rule], first: int) -> None:
        slots = sorted({comparison.slot for rule in rules for comparison in rule})
        names = {slot: f"p{slot}" for slot in slots}
        refuse_equal_hashes(["sid", "id", *names.values()])
        limits = [abs(comparison.limit) for rule in rules for comparison in rule]
        if max(limits, default=0) > LARGEST_INTEGER:
            raise EngineFailure("a limit is too large to be compared exactly")
        definition = {
            f"{place:02}": {"all": [{"m": _expression(rule, names)}]}
            for place, rule in enumerate(rules)
        }
        try:
            self._handle = durable.create_ruleset(f"merit{next(_names)}", json.dumps(definition))
            durable.assert_fact(self._handle, '{"sid":"0","id":0}')  # now its own message is there
        except durable.error as error:
            raise EngineFailure(str(error)) from error
        self._first, self._most = first, len(rules)
        self._choose = chooser(slots)
        self._properties = [f',"{names[slot]}":%d' for slot in slots]
        self._template = "".join(self._properties) + "}"

    def fire(self, values: Sequence[int | None], found: list[int]) -> None:
        """Append the places of the rules that fire to ``found``."""
        chosen = self._choose(values)
        if None in chosen:
            known = [
                each for each in zip(self._properties, chosen, strict=True) if each[1] is not None
            ]
            properties = "".join([name % value for name, value in known]) + "}"
        else:
            properties = self._template % chosen
        try:
            self._fire(properties, found)
        except durable.error as error:
            raise EngineFailure(str(error)) from error

    def _fire(self, properties: str, found: list[int]) -> None:
        handle = self._handle
        for _ in range(_TRIES):
            fact = f'{{"sid":"0","id":{next(_ids)}{properties}'
            result, state = durable.assert_fact(handle, fact)
            if result != _OBSERVED:  # else the hash of its id is that of the state's: another id
                break
        else:
            raise EngineFailure("it takes every fact for one it has seen")
        if result == _NOT_HANDLED:  # nothing is kept, so there is nothing to take back
            return
        started = durable.start_action_for_state(handle, state)
        if started is None:
            raise EngineFailure("a rule fired, and it does not say which")
        messages: str | None = started[1]
        left = self._most
        while messages is not None:
            if left == 0:
                raise EngineFailure("more rules fired than there are")
            left -= 1
            found.append(self._first + int(messages[2:4]))  # {"07":{"m":{…
            messages = durable.complete_and_start_action(handle, state)
        durable.retract_fact(handle, fact)


def _expression(rule: Rule, names: dict[int, str]) -> dict[str, Any]:
    parts = [{sign: {names[slot]: limit}} for sign, slot, limit in rule]
    return parts[0] if len(parts) == 1 else {"$and": parts}


def refuse_equal_hashes(names: Iterable[str]) -> None:
    """Refuse property names that the library, comparing 32-bit FNV-1a hashes, takes for one.

    :raises EngineFailure: naming the two.
    """
    seen: dict[int, str] = {}
    for name in names:
        value = 0x811C9DC5
        for byte in name.encode():
            value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
        if value in seen:
            raise EngineFailure(f"the properties {seen[value]} and {name} are one to it")
        seen[value] = name


def chooser(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Return the fastest function that picks these places out of a sequence, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])
