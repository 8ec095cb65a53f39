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

from tests.app.asking import EVALUATIONS, answered, prepared, service
from tests.rules.builders import condition, metric, policy_document, tier

TRADE = condition("trade", "is", "hotel")

POLICY = policy_document(
    metrics=[
        metric("spend", "money"),
        metric("visits", "count"),
        metric("idle", "days", missing="cannot_decide"),
        metric("member", "boolean"),
        metric("trade", "choice"),
    ],
    tiers=[
        tier("silver", entry={"any": [condition("spend", "at_least", 1000), TRADE]}),
        tier("gold", entry={"all": [condition("idle", "at_most", 30), {"none": [TRADE]}]}),
    ],
)
SERVICE = service(prepared(POLICY))
DESCRIPTION: Any = answered(SERVICE.test_client().get("/api/openapi.json"))


def _of_this_policy() -> Any:
    """Return the description with what only the policy in force can add: which facts fit it."""
    description = deepcopy(DESCRIPTION)
    whole = {"type": ["integer", "null"], "minimum": -(10**15), "maximum": 10**15}
    question = description["components"]["schemas"]["Question"]["properties"]
    question["facts"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **dict.fromkeys(("spend", "visits", "idle"), whole),
            "member": {"type": ["boolean", "null"]},
            "trade": {"enum": ["retail", "hotel", None]},
        },
    }
    question["held"] = {"enum": ["base", "silver", "gold"]}
    question["currency"] = {"const": POLICY["currency"]}
    del question["date"]  # no schema says from when until when
    del description["paths"][EVALUATIONS]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
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


@AS_DESCRIBED.parametrize()  # type: ignore[untyped-decorator]  # Schemathesis's
@settings(max_examples=100)
def test_all_is_answered_as_described(case: Case[Any]) -> None:
    case.call_and_validate()


@OF_THIS_POLICY.include(path=EVALUATIONS).parametrize()  # type: ignore[untyped-decorator]  # Schemathesis's
@settings(max_examples=100)
def test_what_fits_the_policy_is_accepted_and_nothing_else_is(case: Case[Any]) -> None:
    case.call_and_validate()
