"""Two evaluators must agree: durable_rules decides, the reference checks every decision."""

from __future__ import annotations

from rules.engine import Engine, EngineFailure
from rules.messages import Message
from rules.policy import Facts, Policy
from rules.reference import Reference
from rules.verdict import Verdict


class Disagreement(RuntimeError):
    """The two evaluators differ: no answer may be given, and somebody has to look."""

    def __init__(self, policy: Policy, facts: Facts, decided: Verdict, checked: Verdict) -> None:
        self.digest = policy.digest
        self.facts = dict(facts)
        self.decided = decided
        self.checked = checked
        self.message = Message(
            "The two evaluators disagree about policy %(digest)s and the facts %(facts)s.",
            digest=policy.digest,
            facts=str(self.facts),
        )
        super().__init__(self.message)


class Judge:
    """A policy made ready to judge clients."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.failure: EngineFailure | Disagreement | None = None
        """The last time no answer could be given, if ever."""
        self._engine = Engine(policy)
        self.reference = Reference(policy)

    def judge(self, facts: Facts) -> Verdict:
        """Return the verdict both evaluators come to.

        :raises FactRefused: for a fact that is not of its metric's type or beyond exactness.
        :raises EngineFailure: if durable_rules fails.
        :raises Disagreement: if the evaluators differ.
        """
        try:
            decided = self._engine.judge(facts)
        except EngineFailure as error:
            self.failure = error
            raise
        checked = self.reference.judge(facts)
        if decided != checked:
            self.failure = Disagreement(self.policy, facts, decided, checked)
            raise self.failure
        return decided


class DraftJudge(Judge):
    """A draft made ready to judge clients, by the reference evaluator alone.

    What durable_rules compiles is never given back, and drafts are too many for that.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.failure = None
        self.reference = Reference(policy)

    def judge(self, facts: Facts) -> Verdict:
        return self.reference.judge(facts)
