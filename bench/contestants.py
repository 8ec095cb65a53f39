"""Merit and others that could decide the same: each finds a client's 20 outcomes and tier."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import rule_engine
import zen

from bench.policy import ASKED, TIERS, Answer, answers, numbers, policy
from rules.engine import Engine
from rules.judge import Judge
from rules.policy import Facts
from rules.reference import Reference

MERIT = "Merit: engine and reference, compared"
NEW = "— the same, no case met before"
ZEN_LOADED = "zen-engine: ZenEngine.evaluate, static loader"
ZEN_SINGLE = "zen-engine: ZenDecision.evaluate"
BY_HAND = "Python by hand"
AT_ONCE = 1000
"""How many clients a contestant that takes several gets in one call."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Something that decides.

    ``given`` makes a client's facts into what it takes, before any clock runs; ``call`` decides
    on one of these, or on ``at_once`` of them in a list; ``read`` makes what came back from each
    call into answers.  ``meets_strangers`` marks what is timed on clients that each are a new case.
    """

    name: str
    given: Callable[[Facts], Any]
    call: Callable[[Any], Any]
    read: Callable[[Iterable[Any]], Iterable[Answer]]
    at_once: int = 1
    meets_strangers: bool = False

    def inputs(self, clients: Sequence[Facts]) -> list[Any]:
        """Return what it is called with, one after the other, for these clients."""
        each = [self.given(client) for client in clients]
        if self.at_once == 1:
            return each
        return [each[start : start + self.at_once] for start in range(0, len(each), self.at_once)]


def contestants() -> list[Contestant]:
    """Return all, each compiled once; Merit first."""
    return [*_merit(), *_zen(), *_rule_engine(), _python()]


# -- Merit -----------------------------------------------------------------------------------


def _merit() -> list[Contestant]:
    found = policy()

    def read(verdicts: Iterable[Any]) -> Iterable[Answer]:
        return answers(found, verdicts)

    return [
        Contestant(MERIT, dict, Judge(found).judge, read),
        Contestant(NEW, dict, Judge(found).judge, read, meets_strangers=True),
        Contestant("— the engine alone", dict, Engine(found).judge, read),
        Contestant("— the reference alone", dict, Reference(found).judge, read),
    ]


# -- zen-engine ------------------------------------------------------------------------------

_SIGNS = {"at_least": ">=", "more_than": ">", "at_most": "<=", "less_than": "<", "before": "<"}


def _conditions(prefix: str = "") -> list[str]:
    return [
        f"{prefix}{asked.metric} {_SIGNS[asked.operator]} {asked.limits[place]}"
        for place in range(len(TIERS))
        for asked in ASKED
    ]


def _zen_expressions(prefix: str = "") -> tuple[str, str]:
    """Return an expression for the outcomes, and one for the tier from 0."""
    conditions, size = _conditions(prefix), len(ASKED)
    tier = "0"
    for place in range(len(TIERS)):
        each = " and ".join(conditions[place * size : (place + 1) * size])
        tier = f"({each}) ? {place + 1} : ({tier})"
    return f"[{', '.join(conditions)}]", tier


def _zen_graph(**expressions: str) -> dict[str, Any]:
    """Return a graph of one expression node.

    Faster than a key per outcome (twice), decision tables (collecting the outcomes, and the
    first hit for the tier: more than twice), and than the same with an output node.
    """
    listed = [{"id": key, "key": key, "value": value} for key, value in expressions.items()]
    return {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "in"},
            {
                "id": "rules",
                "type": "expressionNode",
                "name": "rules",
                "content": {"expressions": listed},
            },
        ],
        "edges": [{"id": "edge", "type": "edge", "sourceId": "in", "targetId": "rules"}],
    }


def _zen() -> list[Contestant]:
    outcomes, tier = _zen_expressions()
    of_each, tier_of_each = _zen_expressions("#.")
    graphs = {
        "one": _zen_graph(outcomes=outcomes, tier=tier),
        "all": _zen_graph(found=f"map(clients, [[{of_each[1:-1]}], {tier_of_each}])"),
    }
    engine = zen.ZenEngine({"loader": {"type": "static", "content": graphs}})
    decision = engine.get_decision("one")

    def request(facts: Facts) -> zen.EvaluateBatchRequest:
        return {"key": "one", "context": numbers(facts)}

    def one(response: Any) -> Answer:
        result = response["result"]
        return Answer(tuple(result["outcomes"]), int(result["tier"]))

    def singles(responses: Iterable[Any]) -> Iterable[Answer]:
        return map(one, responses)

    def gathered(batches: Iterable[Any]) -> Iterable[Answer]:
        return (one(response) for batch in batches for response in batch)

    def batched(batches: Iterable[Any]) -> Iterable[Answer]:
        return (one(response["data"]) for batch in batches for response in batch)

    def mapped(responses: Iterable[Any]) -> Iterable[Answer]:
        for response in responses:
            for found, place in response["result"]["found"]:
                yield Answer(tuple(found), int(place))

    async def ask(batch: list[dict[str, int]]) -> list[Any]:
        return list(await asyncio.gather(*[engine.async_evaluate("one", each) for each in batch]))

    runner = asyncio.Runner()
    return [
        Contestant(
            ZEN_LOADED,
            numbers,
            lambda context: engine.evaluate("one", context),
            singles,
        ),
        Contestant(
            ZEN_SINGLE,
            numbers,
            decision.evaluate,
            singles,
        ),
        Contestant(
            f"zen-engine: evaluate_batch of {AT_ONCE}",
            request,
            engine.evaluate_batch,
            batched,
            AT_ONCE,
        ),
        Contestant(
            f"zen-engine: async_evaluate, {AT_ONCE} gathered",
            numbers,
            lambda batch: runner.run(ask(batch)),
            gathered,
            AT_ONCE,
        ),
        Contestant(
            f"zen-engine: one call, map over {AT_ONCE}",
            numbers,
            lambda batch: engine.evaluate("all", {"clients": batch}),
            mapped,
            AT_ONCE,
        ),
    ]


# -- Python ----------------------------------------------------------------------------------


def _highest(outcomes: Sequence[bool]) -> int:
    if all(outcomes[15:20]):
        return 4
    if all(outcomes[10:15]):
        return 3
    if all(outcomes[5:10]):
        return 2
    return 1 if all(outcomes[0:5]) else 0


def _rule_engine() -> list[Contestant]:
    conditions = _conditions()
    rules = [rule_engine.Rule(condition) for condition in conditions]
    whole = rule_engine.Rule(f"[{', '.join(conditions)}]")

    def apart(facts: dict[str, int]) -> Answer:
        outcomes = tuple([rule.matches(facts) for rule in rules])
        return Answer(outcomes, _highest(outcomes))

    def together(facts: dict[str, int]) -> Answer:
        outcomes = whole.evaluate(facts)
        return Answer(outcomes, _highest(outcomes))

    return [
        Contestant("rule-engine: 20 rules, the tier in Python", numbers, apart, iter),
        Contestant("rule-engine: one rule, the tier in Python", numbers, together, iter),
    ]


_SILVER, _GOLD = date(2025, 7, 1), date(2024, 1, 1)
_PLATINUM, _DIAMOND = date(2021, 1, 1), date(2016, 1, 1)


def _by_hand(facts: dict[str, Any]) -> Answer:
    revenue, orders, returned = facts["revenue"], facts["orders"], facts["returned"]
    quiet, since = facts["quiet_days"], facts["client_since"]
    outcomes = (
        revenue >= 100_000,
        orders > 2,
        returned <= 300,
        quiet < 240,
        since < _SILVER,
        revenue >= 500_000,
        orders > 5,
        returned <= 200,
        quiet < 180,
        since < _GOLD,
        revenue >= 2_000_000,
        orders > 11,
        returned <= 125,
        quiet < 90,
        since < _PLATINUM,
        revenue >= 8_000_000,
        orders > 23,
        returned <= 50,
        quiet < 45,
        since < _DIAMOND,
    )
    return Answer(outcomes, _highest(outcomes))


def _python() -> Contestant:
    return Contestant(BY_HAND, dict, _by_hand, iter)
