"""Whatever the description allows, and whatever it forbids, is answered as it says."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.config import (
    ChecksConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)

from tests.app.asking import EVALUATIONS, EXAMPLE, answered, prepared, service
from rules.document.strict_json import loads

DOCUMENT: Any = loads(EXAMPLE.read_bytes())
SERVICE = service(prepared(DOCUMENT))
DESCRIPTION: Any = answered(SERVICE.test_client().get("/api/openapi.json"))


def _whole(most: int) -> dict[str, Any]:
    return {"type": ["integer", "null"], "minimum": -most, "maximum": most}


def _of_this_policy() -> Any:
    """Return the description with what only the policy in force can add: which facts fit it."""
    description = deepcopy(DESCRIPTION)
    question = description["components"]["schemas"]["Question"]["properties"]
    question["facts"] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["cancelled_share"],  # else it follows from others, and may be too large
        "properties": {
            "revenue_12m": _whole(10**15),
            "orders": _whole(10**15),
            "cancellations": _whole(10**15),
            "days_since_order": _whole(10**15),
            "cancelled_share": _whole(10**14),
        },
    }
    question["held"] = {"enum": [tier["key"] for tier in DOCUMENT["tiers"]]}
    question["currency"] = {"const": DOCUMENT["currency"]}
    question["date"] = {"enum": ["1970-01-01", "2024-02-29", "2026-07-01", "2199-12-31"]}
    return description


def _api(description: Any, *accepted: str) -> Any:
    """Return the service as a description has it; accepting may take these statuses, too."""
    statuses = ["2xx", "3xx", *accepted]
    checks = ChecksConfig(
        positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=statuses)
    )
    projects = ProjectsConfig(default=ProjectConfig(checks=checks))
    api = schemathesis.openapi.from_dict(description, config=SchemathesisConfig(projects=projects))
    api.app = SERVICE
    return api


AS_DESCRIBED = _api(DESCRIPTION, "400", "422")
OF_THIS_POLICY = _api(_of_this_policy())


@AS_DESCRIBED.parametrize()
@settings(max_examples=100)
def test_all_is_answered_as_described(case: Case) -> None:
    case.call_and_validate()


@OF_THIS_POLICY.include(path=EVALUATIONS).parametrize()
@settings(max_examples=100)
def test_what_fits_the_policy_is_accepted_and_nothing_else_is(case: Case) -> None:
    case.call_and_validate()
