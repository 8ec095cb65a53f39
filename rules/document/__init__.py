"""Policy documents: JSON in, an immutable :class:`~rules.policy.Policy` out, or every error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from typing import Any

from marshmallow import ValidationError

from rules.criteria import walk
from rules.document import letters
from rules.document.fields import NAMES, MetricName, Names
from rules.document.grounds import misfits
from rules.document.metrics import is_tier_held, references
from rules.document.schemas import PolicySchema
from rules.document.strict_json import digest
from rules.messages import Message
from rules.policy import Policy
from rules.vocabulary import MetricType

MOST_CONDITIONS = 2000
"""How many nodes all criteria of one policy may have together."""

DEEPEST_DERIVATION = 20
"""How many derivations may build on each other in a row; measuring follows them all down."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document: where (``tiers[1].entry.all[0].value``), and what."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class DocumentInvalid(ValueError):
    """The document is not a policy; ``problems`` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def load(document: object) -> Policy:
    """Read a policy from a document as :func:`~rules.document.strict_json.loads` gave it.

    :raises DocumentInvalid: naming every error at once.
    """
    token = NAMES.set(_names(document))
    try:
        policy: Policy = PolicySchema().load(document)  # type: ignore[arg-type]  # may be anything
    except ValidationError as error:
        raise DocumentInvalid(problems_in(error.messages)) from error
    finally:
        NAMES.reset(token)
    problems = [
        *_too_many_conditions(policy),
        *_too_deep_derivations(document),
        *(Problem(path, message) for path, message in misfits(policy)),
        *(Problem(path, message) for path, message in letters.misfits(policy)),
    ]
    if problems:
        raise DocumentInvalid(problems)
    return replace(policy, digest=digest(document))


def _too_many_conditions(policy: Policy) -> Iterator[Problem]:
    nodes = sum(1 for each in policy.roots for _ in walk(each.criteria))
    if nodes > MOST_CONDITIONS:
        message = Message(
            "all criteria together have %(nodes)d conditions and groups; %(most)d are possible",
            nodes=nodes,
            most=MOST_CONDITIONS,
        )
        yield Problem("", message)


def _too_deep_derivations(document: Any) -> Iterator[Problem]:
    """Yield the metrics of a document, otherwise valid, that rest on too many others in a row."""
    bases = {each["key"]: references(each["source"]) for each in document["metrics"]}
    depths: dict[str, int] = {}
    for key in TopologicalSorter(bases).static_order():
        depths[key] = max((depths[base] + 1 for base in bases[key]), default=0)
    for index, key in enumerate(bases):
        if depths[key] > DEEPEST_DERIVATION:
            message = Message(
                "derivations may build on each other at most %(most)d deep",
                most=DEEPEST_DERIVATION,
            )
            yield Problem(f"metrics[{index}].source", message)


def _names(document: Any) -> Names:
    """Gather what the document's parts may refer to, forgiving whatever is wrong with it."""
    document = document if isinstance(document, Mapping) else {}
    languages = document.get("languages")
    return Names(
        languages=tuple(each for each in languages if isinstance(each, str))
        if isinstance(languages, list)
        else (),
        metrics=dict(_metric_names(document)),
        tiers=tuple(_keys(document, "tiers")),
        lowest=next(_entries(document, "tiers"), {}).get("key"),
        benefits=frozenset(
            key for tier in _entries(document, "tiers") for key in _keys(tier, "benefits")
        ),
        standards=frozenset(_keys(document, "standards")),
        demotion_policies=frozenset(_keys(document, "demotion_policies")),
        letters=frozenset(_keys(document, "letters")),
    )


def _entries(holder: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = holder.get(name)
    return iter(
        [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    )


def _keys(holder: Mapping[str, Any], name: str) -> Iterator[str]:
    return (each["key"] for each in _entries(holder, name) if isinstance(each.get("key"), str))


def _metric_names(document: Mapping[str, Any]) -> Iterator[tuple[str, MetricName]]:
    for each in _entries(document, "metrics"):
        key, kind, places = each.get("key"), each.get("type"), each.get("places", 0)
        if isinstance(key, str) and isinstance(kind, str) and kind in set(MetricType):
            written = each.get("source")
            source: Mapping[str, Any] = written if isinstance(written, dict) else {}
            options = _keys(document, "tiers") if is_tier_held(source) else _keys(each, "options")
            yield (
                key,
                MetricName(
                    type=MetricType(kind),
                    places=places if type(places) is int and 0 <= places <= 6 else 0,
                    options=tuple(options),
                    source=source,
                    unit=each.get("unit"),
                ),
            )


def problems_in(messages: Any, path: str = "") -> Iterator[Problem]:
    """Yield what marshmallow's nested messages say, each with its path."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            if name == "_schema":
                yield from problems_in(inner, path)
            elif isinstance(name, int):
                yield from problems_in(inner, f"{path}[{name}]")
            else:
                yield from problems_in(inner, f"{path}.{name}" if path else str(name))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield Problem(path, message)
