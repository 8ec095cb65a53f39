"""durable_rules decides: a compiled policy, and the verdict on any client's facts."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from threading import Lock

from rules.engine.library import EngineFailure, RuleSets, chooser
from rules.engine.plan import FactRefused, Plan, Settling, group_rules
from rules.policy import Facts, Policy
from rules.verdict import Outcome, Verdict

__all__ = ["Engine", "EngineFailure", "FactRefused"]

MOST_RULES = 10_000
"""Each takes some 20 KB for good; criteria come near only with lists of every other option."""

REMEMBERED = 8 * 1024 * 1024
"""How many bytes of verdicts are remembered at most, roughly; then it begins anew."""


class Engine:
    """One policy, compiled.

    Thread-safe.  Each costs its process some memory for good, so one is made per digest and
    kept; after a fork, not before.
    """

    def __init__(self, policy: Policy) -> None:
        """Compile a policy.

        :raises EngineFailure: if the library does not take its rules, or they are too many.
        """
        plan = Plan(policy)
        conditions = plan.leaf_rules()
        levels = [list(group_rules(level)) for level in plan.levels]
        rules = len(conditions) + sum(map(len, levels))
        if rules > MOST_RULES:
            raise EngineFailure(f"the policy takes {rules} rules, and {MOST_RULES} are possible")
        self._encoders = plan.encoders()
        limits: list[set[int]] = [set() for _ in self._encoders]
        for rule, _, _ in conditions:
            for comparison in rule:
                limits[comparison.slot].add(comparison.limit)
        self._limits = [sorted(each) for each in limits]
        self._decided: dict[tuple[int | None, ...], Verdict] = {}
        self._most_decided = REMEMBERED // (300 + 8 * (len(limits) + len(plan.order)))
        self._conditions = _Pass(conditions)
        self._leaves = len(plan.leaves)
        self._slots = [(leaf.place, leaf.slot) for leaf in plan.leaves]
        self._undecidable = [(leaf.place, leaf.wanted) for leaf in plan.undecidable()]
        self._levels = [
            ([chooser([part.place for part in node.parts]) for node in level], _Pass(settlings))
            for level, settlings in zip(plan.levels, levels, strict=True)
        ]
        self._order = chooser(plan.order)
        self._entries = plan.entries
        self._lock = Lock()
        self._failure: str | None = None

    def judge(self, facts: Facts) -> Verdict:
        """Return the verdict on a client with these facts.

        Each case is put to the library once.  Facts are the same case if each lies at the same
        limits, or between the same two: then no comparison can tell them apart.

        :raises FactRefused: if a fact is not of its metric's type or beyond what is exact.
        :raises EngineFailure: if the library does not answer as it should.  What it holds is not
            to be trusted after that, nor after an evaluation that was broken off in whatever
            way, so this engine answers no more.
        """
        values = [encode(facts) for encode in self._encoders]
        case = tuple(
            [
                None if value is None else bisect_left(limits, value) + bisect_right(limits, value)
                for value, limits in zip(values, self._limits, strict=True)
            ]
        )
        verdict = self._decided.get(case)
        if verdict is None or self._failure is not None:
            verdict = self._decide(values)
            if len(self._decided) >= self._most_decided:
                self._decided.clear()
            self._decided[case] = verdict
        return verdict

    def _decide(self, values: list[int | None]) -> Verdict:
        with self._lock:
            if self._failure is not None:
                raise EngineFailure(self._failure)
            self._failure = "an evaluation was broken off"
            try:
                verdict = self._judge(values)
            except EngineFailure as error:
                self._failure = error.reason
                raise
            self._failure = None
            return verdict

    def _judge(self, values: list[int | None]) -> Verdict:
        conditions: list[Outcome] = [False] * self._leaves
        self._conditions.settle(values, conditions)
        if None in values:
            for place, slot in self._slots:
                if values[slot] is None:
                    conditions[place] = None
        outcomes = self._groups(conditions)
        tier = next((place for place, root in self._entries if outcomes[root]), 0)
        found = self._order(outcomes)
        hopes = [each for each in self._undecidable if conditions[each[0]] is None]
        if not hopes:
            return Verdict(found, tier)
        for place, wanted in hopes:
            conditions[place] = wanted
        hoped = self._groups(conditions)
        higher = [place for place, root in self._entries if hoped[root] and place > tier]
        return Verdict(found, tier, tuple(reversed(higher)))

    def _groups(self, conditions: list[Outcome]) -> list[Outcome]:
        """Decide the groups level by level, given the outcomes of all conditions."""
        outcomes = conditions.copy()
        for choosers, rules in self._levels:
            counts: list[int | None] = []
            for choose in choosers:
                parts = choose(outcomes)
                met = parts.count(True)
                counts += (met, met + parts.count(None))
            outcomes += [False] * len(choosers)
            rules.settle(counts, outcomes)
        return outcomes


class _Pass:
    """The rules of one pass, and what each settles when it fires."""

    def __init__(self, settlings: Sequence[Settling]) -> None:
        self._rules = RuleSets([rule for rule, _, _ in settlings])
        self._settles: list[tuple[int, Outcome]] = [(place, to) for _, place, to in settlings]

    def settle(self, values: Sequence[int | None], outcomes: list[Outcome]) -> None:
        for fired in self._rules.fired(values):
            place, outcome = self._settles[fired]
            outcomes[place] = outcome
