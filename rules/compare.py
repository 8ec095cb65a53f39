"""The difference between two policies in words: what came, what went, what is said otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from rules.aspects import (
    DEMOTIONS,
    LETTERS,
    METRICS,
    SEGMENTS,
    STANDARDS,
    TIERS,
    Aspects,
    How,
    Part,
    example_lines,
    of_policy,
)
from rules.criteria import AtLeast, Condition, Criteria, Group
from rules.describe import Line, criteria_lines
from rules.messages import Message
from rules.policy import Example, Policy
from rules.sentences import Named


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that two policies say differently: of what, and how it is said before and after.

    What is added has no lines before, what is removed none after.
    """

    subject: Message
    kind: Literal["added", "removed", "changed"]
    before: tuple[Line, ...]
    after: tuple[Line, ...]


def compare(former: Policy, policy: Policy) -> tuple[Difference, ...]:
    """Say in what a policy differs from a former one; nothing if it judges and promises the same.

    Parts are told apart by their keys: what has a new key is new.
    """
    return tuple(_Comparison(former, policy).differences())


_T = TypeVar("_T", bound=Part)


@dataclass(frozen=True, slots=True)
class _Comparison:
    former: Policy
    policy: Policy

    def differences(self) -> Iterator[Difference]:
        former, policy = self.former, self.policy
        yield from self._aspects(Message("The policy"), of_policy(former), of_policy(policy))
        yield from self._parts(TIERS, former.tiers, policy.tiers)
        yield from self._parts(METRICS, former.metrics.values(), policy.metrics.values())
        yield from self._parts(SEGMENTS, former.segments, policy.segments)
        yield from self._parts(STANDARDS, former.standards, policy.standards)
        yield from self._parts(DEMOTIONS, former.demotion_policies, policy.demotion_policies)
        yield from self._parts(LETTERS, former.letters, policy.letters)
        yield from self._examples()

    def _parts(
        self, how: How[_T], former: Iterable[_T], parts: Iterable[_T]
    ) -> Iterator[Difference]:
        before = {each.key: each for each in former}
        after = {each.key: each for each in parts}
        for key, part in before.items():
            if key not in after:
                lines = tuple(how.tell(self.former, part))
                yield Difference(how.subject(part), "removed", lines, ())
        for key, part in after.items():
            if key not in before:
                lines = tuple(how.tell(self.policy, part))
                yield Difference(how.subject(part), "added", (), lines)
                continue
            subject = how.subject(part)
            aspects = [
                how.aspects(policy, each)
                for policy, each in ((self.former, before[key]), (self.policy, part))
            ]
            yield from self._aspects(subject, *aspects)
            for template, criteria in how.criteria.items():
                whose = Message(template, part=subject)
                yield from self._criteria(whose, criteria(before[key]), criteria(part))
        orders = [[key for key in one if key in before and key in after] for one in (before, after)]
        if orders[0] != orders[1]:
            names = [
                tuple(Line(0, how.subject(one[key])) for key in order)
                for one, order in zip((before, after), orders, strict=True)
            ]
            yield Difference(Message(how.order), "changed", *names)

    def _aspects(self, part: Message, former: Aspects, now: Aspects) -> Iterator[Difference]:
        for template, said in now.items():
            if former[template].value != said.value:
                subject = Message(template, part=part)
                yield _changed(subject, former[template].lines, said.lines)

    def _examples(self) -> Iterator[Difference]:
        before, after = (_by_name(each.examples) for each in (self.former, self.policy))
        for name in dict.fromkeys((*before, *after)):
            former, now = before.get(name), after.get(name)
            if former == now:
                continue
            was = () if former is None else tuple(example_lines(self.former, former))
            given = () if now is None else tuple(example_lines(self.policy, now))
            named = Named((before[name] if now is None else now).name)
            subject = Message("The example “%(name)s”", name=named)
            if was and given:
                yield _changed(subject, was, given)
            else:
                yield Difference(subject, "added" if given else "removed", was, given)
        if before.keys() == after.keys() and list(before) != list(after):
            names = [
                tuple(
                    Line(0, Message("“%(name)s”", name=Named(each.name))) for each in one.values()
                )
                for one in (before, after)
            ]
            yield Difference(Message("The order of the examples"), "changed", *names)

    # -- criteria ------------------------------------------------------------------------------

    def _criteria(
        self, subject: Message, former: Criteria | None, now: Criteria | None
    ) -> Iterator[Difference]:
        if former is None and now is not None:
            lines = tuple(criteria_lines(self.policy, now))
            yield Difference(subject, "added", (), lines)
        elif former is not None and now is not None:
            yield from self._nodes(subject, former, now)
        elif former is not None:
            lines = tuple(criteria_lines(self.former, former))
            yield Difference(subject, "removed", lines, ())

    def _nodes(self, subject: Message, former: Criteria, now: Criteria) -> Iterator[Difference]:
        if former == now:
            return
        whole = _changed(
            subject,
            tuple(criteria_lines(self.former, former)),
            tuple(criteria_lines(self.policy, now)),
        )
        if isinstance(former, Group) and isinstance(now, Group) and type(former) is type(now):
            yield from list(self._groups(subject, former, now)) or [whole]
        else:
            yield whole

    def _groups(self, subject: Message, former: Group, now: Group) -> Iterator[Difference]:
        headings = [
            next(criteria_lines(policy, group))
            for policy, group in ((self.former, former), (self.policy, now))
        ]
        if isinstance(former, AtLeast) and isinstance(now, AtLeast) and former.k != now.k:
            yield Difference(subject, "changed", (headings[0],), (headings[1],))
        gone, come = _without_equals(former.parts, now.parts)
        for part in gone:
            like = next((each for each in come if _likeness(each) == _likeness(part)), None)
            if like is None:
                lines = _within(headings[0], criteria_lines(self.former, part))
                yield Difference(subject, "removed", lines, ())
                continue
            come.remove(like)
            for each in self._nodes(subject, part, like):
                before, after = each.before, each.after
                yield Difference(
                    subject,
                    each.kind,
                    _within(headings[0], before) if before else (),
                    _within(headings[1], after) if after else (),
                )
        for part in come:
            lines = _within(headings[1], criteria_lines(self.policy, part))
            yield Difference(subject, "added", (), lines)


def _changed(subject: Message, before: tuple[Line, ...], after: tuple[Line, ...]) -> Difference:
    """Return a change; where words do not show it, that there is one is said."""
    if before == after:
        after = (*after, Line(0, Message("(in the same words, but not the same)")))
    return Difference(subject, "changed", before, after)


def _within(heading: Line, lines: Iterable[Line]) -> tuple[Line, ...]:
    return (heading, *(Line(each.depth + 1, each.sentence) for each in lines))


def _without_equals(
    former: Sequence[Criteria], now: Sequence[Criteria]
) -> tuple[list[Criteria], list[Criteria]]:
    gone, come = [], list(now)
    for part in former:
        if part in come:
            come.remove(part)
        else:
            gone.append(part)
    return gone, come


def _likeness(node: Criteria) -> object:
    """Return what two nodes share of which one may have become the other."""
    return node.metric if isinstance(node, Condition) else type(node)


def _by_name(examples: Iterable[Example]) -> dict[tuple[str, int], Example]:
    """Return examples by their names, which are told apart by how often they came before."""
    found: dict[tuple[str, int], Example] = {}
    for example in examples:
        name = next(iter(example.name.values()))
        found[name, sum(each == name for each, _ in found)] = example
    return found
