"""Policy documents for tests: small ones from their parts, and one that has everything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from rules.document import DocumentInvalid, Problem, load
from rules.policy import Policy

Document = dict[str, Any]
Place = tuple[str | int, ...]
"""Where something stands in a document: ``("tiers", 1, "entry")``."""

LIFETIME: Document = {"kind": "lifetime"}
YEAR: Document = {"kind": "rolling", "n": 12, "unit": "months"}


def names(english: str) -> Document:
    return {"en": english}


def attribute(name: str, **parts: Any) -> Document:
    return {"kind": "attribute", "attribute": name, **parts}


def activities(aggregate: str, of: str | None = None, **parts: Any) -> Document:
    """Return a source: an aggregate of sales over all time, unless ``parts`` say otherwise."""
    measured = {} if of is None else {"of": of}
    source = {"kind": "activities", "aggregate": aggregate, **measured}
    return {**source, "kinds": ["sale"], "window": LIFETIME, **parts}


def metric(key: str, kind: str, source: Document | None = None, **parts: Any) -> Document:
    """Return a metric of any type; without a source it is an attribute of the same name."""
    needed: Document = {}
    if kind == "decimal":
        needed["places"] = 2
    if kind == "choice":
        needed["options"] = [option("retail"), option("hotel")]
    return {
        "key": key,
        "name": names(key),
        "type": kind,
        "source": source or attribute(key),
        **needed,
        **parts,
    }


def option(key: str) -> Document:
    return {"key": key, "name": names(key)}


def condition(key: str, operator: str, *value: Any) -> Document:
    return {"metric": key, "operator": operator, **({"value": value[0]} if value else {})}


def tier(key: str, **parts: Any) -> Document:
    return {"key": key, "name": names(key), **parts}


def policy_document(
    metrics: Sequence[Document] = (), tiers: Sequence[Document] = (), **parts: Any
) -> Document:
    """Return a document with these metrics and, above a lowest tier ``base``, these tiers."""
    return {
        "format": 1,
        "key": "example",
        "name": names("Example"),
        "languages": ["en"],
        "currency": "EUR",
        "time_zone": "Europe/Kyiv",
        "metrics": list(metrics),
        "tiers": [tier("base"), *tiers],
        **parts,
    }


def policy(*metrics: Document) -> Policy:
    """Return a policy that has these metrics and only its lowest tier."""
    return load(policy_document(metrics))


def told(document: object) -> tuple[Problem, ...]:
    """Return what is wrong with a document; nothing if it loads."""
    try:
        load(document)
    except DocumentInvalid as refused:
        return refused.problems
    return ()


def problems(document: object) -> dict[str, str]:
    """Return what is wrong with a document as sentences by path, of which each has one."""
    refused = told(document)
    by_path = {each.path: each.message for each in refused}
    assert len(by_path) == len(refused)
    return by_path


# -- places in a document ----------------------------------------------------------------------


def place(path: str) -> Place:
    """Read a path as problems give it: ``tiers[1].entry``."""
    return tuple(int(index) if index else name for name, index in _STEP.findall(path))


def path(place_: Place) -> str:
    """Write a place as problems do."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in place_)
    return "".join(steps).removeprefix(".")


_STEP = re.compile(r"([a-z_]+)|\[([0-9]+)\]")


def found(document: Any, place_: Place) -> Any:
    for step in place_:
        document = document[step]
    return document


def changed(document: Document, place_: Place, value: Any) -> Document:
    """Return a copy of a document with another value in one place."""
    copy = deepcopy(document)
    found(copy, place_[:-1])[place_[-1]] = value
    return copy


def without(document: Document, place_: Place) -> Document:
    """Return a copy of a document in which one place is left out."""
    copy = deepcopy(document)
    del found(copy, place_[:-1])[place_[-1]]
    return copy


def places(node: Any, here: Place = ()) -> Iterator[Place]:
    """Yield every place below a node, and its own."""
    yield here
    if isinstance(node, Mapping):
        for name, part in node.items():
            yield from places(part, (*here, name))
    elif isinstance(node, list):
        for index, part in enumerate(node):
            yield from places(part, (*here, index))


# -- one of everything -------------------------------------------------------------------------

EVERYTHING = policy_document(
    languages=["en", "uk"],
    metrics=[
        metric("revenue", "money", activities("sum", "amount", window=YEAR)),
        metric(
            "hotel_orders",
            "count",
            activities(
                "count",
                kinds=["sale", "order"],
                window={"kind": "this", "unit": "quarter", "starts": "04-06"},
                where=[
                    {"field": "channel", "operator": "is", "value": "hotel"},
                    {"field": "product", "operator": "none_of", "value": ["gift", "sample"]},
                    {"field": "amount", "operator": "at_least", "value": 100},
                    {"field": "quantity", "operator": "one_of", "value": [1, 2]},
                    {"field": "attribute:gift", "operator": "is_not", "value": True},
                ],
            ),
        ),
        metric(
            "stars",
            "decimal",
            activities(
                "average",
                "attribute:stars",
                window={"kind": "previous", "n": 2, "unit": "half_year", "starts": "01-31"},
            ),
        ),
        metric(
            "balance",
            "money",
            {
                "kind": "attribute_history",
                "attribute": "balance",
                "aggregate": "daily_average",
                "window": {"kind": "between", "from": "2026-01-01", "to": "2026-06-30"},
            },
            missing="zero",
        ),
        metric("age", "days", {"kind": "days_since", "metric": "birthday"}),
        metric("birthday", "date", attribute("birthday", good_for_days=400)),
        metric("private", "boolean", missing="cannot_decide"),
        metric("business", "choice", missing="unknown"),
        metric(
            "share",
            "decimal",
            {"kind": "ratio", "numerator": "balance", "denominator": "revenue"},
            places=1,
            unit="percent",
        ),
        metric(
            "potential",
            "money",
            {"kind": "weighted_sum", "terms": [{"metric": "revenue", "weight": 2}]},
        ),
        metric(
            "growth",
            "money",
            {"kind": "change", "metric": "revenue", "measured": "difference"},
        ),
        metric(
            "carried",
            "count",
            {"kind": "carry_over", "metric": "hotel_orders", "cap": 10, "above": 2},
        ),
        metric(
            "years",
            "count",
            {"kind": "standing", "measure": "years_at_or_above", "tier": "gold", "unbroken": True},
        ),
        metric("together", "money", {"kind": "group", "metric": "revenue"}),
        metric("place", "decimal", {"kind": "rank", "metric": "together"}, unit="percent"),
        metric("lately", "count", activities("count", window={"kind": "since", "event": "tier"})),
    ],
    tiers=[
        tier(
            "silver",
            entry={"all": [condition("revenue", "at_least", 100), condition("age", "is_known")]},
            keep=condition("revenue", "between", [50, 60]),
            benefits=[{"key": "queue", "name": names("No queue")}],
            standards=["answer"],
            demotion="slow",
            validity={"kind": "fixed", "n": 12, "unit": "months", "to_month_end": True},
            renewal="at_expiry",
            lifetime_after_years=10,
        ),
        tier(
            "gold",
            entry={
                "at_least": 1,
                "of": [
                    {"qualifies_for": "silver"},
                    {"any": [condition("business", "one_of", ["hotel"])]},
                    {"none": [condition("private", "is", True)]},
                ],
            },
            validity={
                "kind": "calendar",
                "unit": "quarter",
                "further": 1,
                "plus_months": 2,
                "starts": "04-06",
            },
            demotion="quick",
        ),
    ],
    segments=[
        {
            "key": "young",
            "name": names("Young"),
            "criteria": condition("birthday", "on_or_after", "2000-01-01"),
            "standards": ["answer"],
        }
    ],
    standards=[
        {"key": key, "name": names(key), "answers": "manager", "promise": promise}
        for key, promise in {
            "answer": {"kind": "respond_within", "request": "question", "working_minutes": 60},
            "call": {"kind": "contact_every", "days": 90},
            "reminder": {"kind": "after_activity", "activity": "sale", "days": 30},
            "greeting": {"kind": "on_date", "attribute": "birthday", "days_before": 3},
            "welcome": {"kind": "after_event", "event": "promoted", "days": 2},
            "survey": {"kind": "survey_every", "survey": "nps", "unit": "quarter"},
            "promise": {"kind": "keep_promise"},
            "room": {"kind": "entitlement", "detail": "A room of one's own"},
        }.items()
    ],
    demotion_policies=[
        {
            "key": "slow",
            "name": names("Slow"),
            "minimum_stay_days": 90,
            "benefits_return_days": 7,
            "reinstatement_letter": "mended",
            "return_letter": "mended",
            "assessment": {"kind": "anniversary", "every": "year", "of": "birthday"},
            "unless": {"qualifies_for": "gold"},
            "steps": [
                {"kind": "warning", "days": 30, "letter": "notice"},
                {"kind": "notice", "days": 0, "counted": "start", "letter": "notice"},
                {"kind": "withdraw", "days": 30, "benefits": ["queue"]},
                {"kind": "demote", "days": 60, "to": "one_rung", "counted": "previous_step"},
            ],
        },
        {
            "key": "quick",
            "name": names("Quick"),
            "assessment": {"kind": "year_days", "days": ["07-01", "01-01"]},
            "steps": [
                {"kind": "notice"},
                {
                    "kind": "demote",
                    "months": 2,
                    "days": 14,
                    "to": "one_rung",
                    "landing": {"kind": "until_assessment"},
                },
            ],
        },
    ],
    promotion={
        "assessment": {"kind": "monthly", "day": 31},
        "path": "one_rung",
        "letter": "mended",
    },
    letters=[
        {
            "key": "notice",
            "subject": names("$tier until $deadline"),
            "body": names("Dear $client,\n\n$figures\n\n$ahead"),
            "unnamed": names("friend"),
        },
        {"key": "mended", "subject": names("All is well"), "body": names("You have\n$service")},
    ],
    groups={"tier_goes_to": "head"},
    settlement_days=3,
    transition={
        "moves": "upgrades_only",
        "until": "2026-12-31",
        "former_tiers": [{"key": "bronze", "now": "silver"}, {"key": "top", "now": "gold"}],
    },
    examples=[
        {
            "name": names("At the limit of Silver, which is enough for Gold"),
            "date": "2026-06-30",
            "facts": {"revenue": 100, "age": 0, "private": True},
            "tier": "gold",
        },
        {
            "name": names("One cent less, and perhaps private"),
            "date": "2026-06-30",
            "facts": {"revenue": 99, "age": 0, "private": None},
            "tier": None,
        },
    ],
)
"""A valid document with every kind of part that a policy can have."""
