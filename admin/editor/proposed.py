"""Examples that could be kept with a draft, as they would be written into it."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from itertools import islice
from typing import Any

from app.services.drafting import readable
from app.words import Words
from rules.document.strict_json import canonical_bytes
from rules.facts import write_value
from rules.proposals import proposals

MOST = 60
"""How many are proposed at once."""

_LONGEST = 200


def proposed(document: Any, day: date) -> dict[str, Any]:
    """Return examples at the limits of a draft, by something to name each by."""
    policy = readable(document).policy
    if policy is None:
        return {}
    found = {}
    for each in islice(proposals(policy, day), MOST):
        facts = {key: write_value(policy.metrics[key], value) for key, value in each.facts.items()}
        names = {code: Words.of(code).say(each.name)[:_LONGEST] for code in policy.languages}
        example = {"name": names, "date": day.isoformat(), "facts": facts, "tier": each.tier}
        found[sha256(canonical_bytes([facts, each.tier])).hexdigest()[:12]] = example
    return found
