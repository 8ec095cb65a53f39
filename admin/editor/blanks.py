"""What something new looks like in a document before anybody has said more about it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from rules.document.fields import KEY

Document = dict[str, Any]

_YEAR: Document = {"kind": "rolling", "n": 12, "unit": "months"}

SHAPES: dict[str, dict[str, Document]] = {
    "source": {
        "activities": {"aggregate": "count", "kinds": [], "window": _YEAR},
        "attribute": {},
        "attribute_history": {"aggregate": "daily_average", "window": _YEAR},
        "ratio": {},
        "weighted_sum": {"terms": []},
        "change": {"measured": "difference"},
        "days_since": {},
        "carry_over": {},
        "standing": {"measure": "tier_held"},
        "group": {},
        "rank": {},
    },
    "window": {
        "rolling": {"n": 12, "unit": "months"},
        "this": {"unit": "year"},
        "previous": {"n": 1, "unit": "year"},
        "lifetime": {},
        "between": {},
        "since": {"event": "tier"},
    },
    "validity": {
        "open": {},
        "fixed": {"n": 12, "unit": "months"},
        "calendar": {"unit": "year"},
        "until_assessment": {},
    },
    "assessment": {
        "year_days": {"days": ["01-01", "07-01"]},
        "monthly": {"day": 1},
        "anniversary": {"every": "year"},
    },
    "promise": {
        "respond_within": {"request": "question", "working_minutes": 480},
        "contact_every": {"days": 90},
        "after_activity": {"activity": "sale", "days": 30},
        "on_date": {"attribute": "birthday", "days_before": 7},
        "after_event": {"event": "promoted", "days": 7},
        "survey_every": {"survey": "nps", "unit": "quarter"},
        "keep_promise": {},
        "entitlement": {},
    },
    "step": {
        "warning": {"days": 60},
        "notice": {},
        "withdraw": {"days": 30, "benefits": []},
        "demote": {"days": 60, "to": "entitled"},
    },
}
"""The shapes of each part that has several, by the word under ``kind``, and what each begins as."""

_PARTS: dict[str, frozenset[str]] = {
    "activities": frozenset({"aggregate", "of", "kinds", "where", "window"}),
    "attribute": frozenset({"attribute", "good_for_days"}),
    "attribute_history": frozenset({"attribute", "aggregate", "window"}),
    "ratio": frozenset({"numerator", "denominator"}),
    "change": frozenset({"metric", "measured"}),
    "carry_over": frozenset({"metric", "cap", "above"}),
    "days_since": frozenset({"metric"}),
    "group": frozenset({"metric"}),
    "rank": frozenset({"metric"}),
    "this": frozenset({"unit", "starts"}),
    "previous": frozenset({"unit", "starts"}),
    "notice": frozenset({"days", "months", "counted", "letter"}),
    "warning": frozenset({"days", "letter"}),
    "withdraw": frozenset({"days", "months", "counted", "letter"}),
    "demote": frozenset({"days", "months", "counted", "letter"}),
}
"""What of a former shape goes over into these, where it means the same."""


def reshaped(sort: str, kind: str, former: object) -> Document:
    """Return a part in another of its shapes, with what means the same in both."""
    kept: Document = {}
    if isinstance(former, dict):
        both = _PARTS.get(kind, frozenset()) & _PARTS.get(str(former.get("kind")), frozenset())
        kept = {name: value for name, value in former.items() if name in both}
    if kept.get("aggregate") not in (None, "daily_average", "minimum") and kind != "activities":
        del kept["aggregate"]
    return {"kind": kind, **SHAPES[sort].get(kind, {}), **kept}


def types_for(source: Any, types: Mapping[str, str]) -> tuple[str, ...]:
    """Return the types that a metric with this source can have, the usual one first.

    None where it may have several or the source says too little.

    :param types: those of the metrics, by their keys.
    """
    if not isinstance(source, dict):
        return ()
    kind, aggregate, of = (source.get(name) for name in ("kind", "aggregate", "of"))
    match kind:
        case "activities" if of == "amount":
            return ("money",)
        case "activities" if of == "quantity":
            return ("decimal",) if aggregate == "average" else ("count", "days", "decimal")
        case "activities" if of is None:
            return _COUNTED.get(str(aggregate), ())
        case "ratio":
            over, under = (
                types.get(str(source.get(each))) for each in ("numerator", "denominator")
            )
            return ("money",) if over == "money" != under and under else ("decimal",)
        case "rank":
            return ("decimal",)
        case "change" if source.get("measured") == "percent":
            return ("decimal",)
        case "change" | "carry_over" | "group":
            other = types.get(str(source.get("metric")))
            return (other,) if other else ()
        case "days_since":
            return ("days",)
        case "standing":
            return (_TENURES.get(str(source.get("measure")), "days"),)
    return ()


_TENURES = {"tier_held": "choice", "years_at_or_above": "count"}
_COUNTED: dict[str, tuple[str, ...]] = {
    "count": ("count",),
    "distinct_products": ("count",),
    "first_date": ("date",),
    "last_date": ("date",),
    "days_since_last": ("days",),
    "days_with": ("count", "days"),
    "weeks_with": ("count",),
    "months_with": ("count",),
    "quarters_with": ("count",),
}


def new_key(name: str, taken: Iterable[str]) -> str:
    """Return a key for something of this name that nothing else has."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_UKRAINIAN)).encode(
        "ascii", "ignore"
    )
    key = re.sub(r"[^a-z0-9]+", "_", plain.decode()).strip("_")[:55]
    key = key if KEY.fullmatch(key) else f"n_{key}".rstrip("_") if key else "new"
    found, number = key, 1
    while found in set(taken):
        number += 1
        found = f"{key}_{number}"
    return found


_UKRAINIAN = str.maketrans(
    {
        "а": "a",
        "б": "b",
        "в": "v",
        "г": "h",
        "ґ": "g",
        "д": "d",
        "е": "e",
        "є": "ie",
        "ж": "zh",
        "з": "z",
        "и": "y",
        "і": "i",
        "ї": "i",
        "й": "i",
        "к": "k",
        "л": "l",
        "м": "m",
        "н": "n",
        "о": "o",
        "п": "p",
        "р": "r",
        "с": "s",
        "т": "t",
        "у": "u",
        "ф": "f",
        "х": "kh",
        "ц": "ts",
        "ч": "ch",
        "ш": "sh",
        "щ": "shch",
        "ь": "",
        "ю": "iu",
        "я": "ia",
    }
)


def added(list_name: str, name: str, key: str, language: str, day: date) -> Any:
    """Return a new entry of a list of the document, by the list's name."""
    make = _ENTRIES.get(list_name)
    entry: Document = {"key": key} if make is None else make(day)
    if make is None or name:
        entry["name"] = {language: name or key}
    return entry | _NAMED.get(list_name, {})


_NAMED: dict[str, Document] = {
    "metrics": {
        "type": "count",
        "source": {"kind": "activities", **SHAPES["source"]["activities"]},
    },
    "standards": {
        "answers": "manager",
        "promise": {"kind": "contact_every", **SHAPES["promise"]["contact_every"]},
    },
    "demotion_policies": {
        "steps": [
            {"kind": "notice"},
            {"kind": "demote", "days": 60, "to": "entitled"},
        ]
    },
}

_ENTRIES: dict[str, Callable[[date], Any]] = {
    "where": lambda _: {"field": "product", "operator": "is"},
    "terms": lambda _: {"weight": 1},
    "former_tiers": lambda _: {},
    "examples": lambda day: {"date": day.isoformat(), "facts": {}},
}
