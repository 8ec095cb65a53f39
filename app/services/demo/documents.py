"""The demo company's policies: the one in force, those before it, and two not yet decided about."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

from app.services.policies import read_document

_FILE = Path(__file__).with_name("policy.json")

Document = dict[str, Any]


def in_force() -> Document:
    """Return the policy that is in force at the end."""
    return read_document(_FILE)


def first() -> Document:
    """Return the first: three tiers, and no regard for complaints or potential."""
    document = in_force()
    document["tiers"] = document["tiers"][:3]
    document["tiers"][1]["entry"] = {
        "metric": "revenue_12m",
        "operator": "at_least",
        "value": 200_000,
    }
    document["segments"] = document["segments"][:2]
    document["examples"] = [_example("Just what Silver asks for", 200_000, 1, "silver")]
    used = {key for tier in document["tiers"] for key in tier["standards"]} | {"second_purchase"}
    document["standards"] = [each for each in document["standards"] if each["key"] in used]
    return document


def second() -> Document:
    """Return the second: four tiers, Platinum by revenue alone."""
    document = in_force()
    document["tiers"][3]["entry"] = {
        "all": [
            {"qualifies_for": "gold"},
            _revenue(2_500_000),
        ]
    }
    document["examples"] = document["examples"][:4]
    return document


def third() -> Document:
    """Return the policy in force as it was first laid before the reviewers."""
    return {**in_force(), "name": {"en": "Regular clients", "uk": "Постійні клієнти"}}


def stricter() -> Document:
    """Return one that asks more of Gold: laid before the reviewers."""
    document = in_force()
    for condition in document["tiers"][2]["entry"]["all"]:
        if condition["metric"] == "revenue_12m":
            condition["value"] = 600_000
    document["examples"] = [
        deepcopy(each) for each in document["examples"] if each["tier"] != "gold"
    ] + [_example("Just what Gold asks for", 600_000, 6, "gold")]
    return document


def gentler() -> Document:
    """Return one that keeps silver clients longer: a draft."""
    document = in_force()
    document["tiers"][1]["keep"] = {
        "metric": "revenue_12m",
        "operator": "at_least",
        "value": 100_000,
    }
    return document


def _revenue(cents: int) -> Document:
    return {"metric": "revenue_12m", "operator": "at_least", "value": cents}


def _example(name: str, revenue: int, orders: int, tier: str) -> Document:
    facts = {"revenue_12m": revenue, "orders_12m": orders, "cancellations_12m": 0}
    return {
        "name": {"en": name},
        "date": "2026-07-01",
        "facts": {**facts, "days_since_order": 30},
        "tier": tier,
    }
