"""Whatever the description allows, and whatever it forbids, is answered as it says.

At length, more than 20,000 cases on each kind of database::

    MERIT_SCHEMATHESIS_EXAMPLES=2500 .venv/bin/pytest tests/app/test_schemathesis.py

and with ``-k sqlite`` on one only; the number of cases, by status, is printed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis import Case, GenerationMode
from schemathesis.config import (
    ChecksConfig,
    GenerationConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.parameters import ParameterLocation

from app import create_app
from app.config import Config
from rules.document.strict_json import dumps
from tests.app.asking import EVALUATIONS, answered, served
from tests.app.company import NOW, Company, branch
from tests.rules.builders import activities, condition, metric, policy_document, tier

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("MERIT_SCHEMATHESIS_EXAMPLES", "25"))
"""How many cases of each operation there are at least, if it has so many."""

CLIENTS, ACTIVITIES = "/api/v1/clients/{reference}", "/api/v1/activities"
STANDING, MEASURES = f"{CLIENTS}/standing", f"{CLIENTS}/measures"
DECISION = "/api/v1/decisions/{decision_id}"

A_DECISION = "a-decision"
"""Stands in descriptions for one that there is."""

KNOWN = ["C-1", "C-2", "C-3"]
"""Clients that there are from the beginning."""

TRADE = condition("trade", "is", "hotel")

POLICY = policy_document(
    metrics=[
        metric("spend", "money"),
        metric("visits", "count", activities("count")),
        metric("idle", "days", missing="cannot_decide"),
        metric("member", "boolean"),
        metric("trade", "choice"),
    ],
    tiers=[
        tier("silver", entry={"any": [condition("spend", "at_least", 1000), TRADE]}),
        tier("gold", entry={"all": [condition("idle", "at_most", 30), {"none": [TRADE]}]}),
    ],
    time_zone="Europe/London",
    currency="GBP",
)


@dataclass
class Served:
    """A company that is asked, and how it answered so far."""

    company: Company
    app: Flask
    decision: str
    statuses: Counter[int] = field(default_factory=Counter)

    def answer(self, environ: Any, start: Any) -> Any:
        """Answer as the application, about the decision that there is."""
        path = environ["PATH_INFO"].replace(A_DECISION, self.decision)
        return self.app.wsgi_app({**environ, "PATH_INFO": path}, start)

    def check(self, case: Case[Any]) -> None:
        """Send a case, and see that it is answered as described; time goes on meanwhile."""
        self.company.clock.advance(minutes=6)  # else wrong keys, which are tried too, are too many
        headers = {"Authorization": f"Bearer {self.company.key}"}
        if case.meta is not None and case.meta.is_negative_at(ParameterLocation.HEADER):
            headers = {}  # it is about the key
        response = case.call_and_validate(app=self.answer, headers=headers)
        self.statuses[response.status_code] += 1


@pytest.fixture(scope="module")
def company(
    founding: Company, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Served]:
    """A company with clients, for all cases; what came of them is printed."""
    with branch(founding, tmp_path_factory.mktemp("cases")) as company:
        company.publish(POLICY)
        app = served(company)
        client = app.test_client()
        for reference in KNOWN:
            client.put(CLIENTS.format(reference=reference), json={"attributes": {"idle": 5}})
        decisions = [
            answered(client.get(STANDING.format(reference=each)))["decision"] for each in KNOWN
        ]
        found = Served(company, app, decisions[0])
        yield found
        reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
        if reporter:
            said = ", ".join(f"{status}: {n:,}" for status, n in sorted(found.statuses.items()))
            reporter.write_line(f"\n{company.place.kind}: {found.statuses.total():,} cases; {said}")


def _described() -> Any:
    return answered(create_app(Config()).test_client().get("/api/openapi.json"))


def _of_this_company() -> Any:
    """Return the description with what only policy and clients can add: what fits them."""
    description = _described()
    whole = {"type": ["integer", "null"], "minimum": -(10**15), "maximum": 10**15}
    schemas, paths = description["components"]["schemas"], description["paths"]
    facts = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **dict.fromkeys(("spend", "visits", "idle"), whole),
            "member": {"type": ["boolean", "null"]},
            "trade": {"enum": ["retail", "hotel", None]},
        },
    }
    known = {"enum": KNOWN}
    question = schemas["Question"]
    question["properties"] |= {
        "facts": facts,
        "changed": facts,
        "held": {"enum": ["base", "silver", "gold"]},
        "currency": {"const": POLICY["currency"]},
        "client": known,
    }
    question["oneOf"] = [
        {"required": ["facts"], "properties": {"changed": False}},
        {"required": ["changed", "client"], "properties": {"facts": False}},
    ]
    del question["properties"]["date"]  # no schema says from when until when
    del paths[EVALUATIONS]["post"]["requestBody"]["content"]["application/json"]["example"]
    for path in (STANDING, MEASURES, CLIENTS):
        paths[path]["parameters"][0]["schema"] = known
    paths[DECISION]["parameters"][0]["schema"] = {"enum": [A_DECISION]}
    asked = paths[STANDING]["get"]["parameters"]
    asked[:] = [each for each in asked if each["name"] != "known"]  # it needs the other
    next(each for each in asked if each["name"] == "at")["schema"] = {
        "enum": [NOW.date().isoformat()]
    }
    _only(schemas["Client"]["properties"], {"name", "language"})
    schemas["Client"]["properties"]["name"]["pattern"] = "^[!-~]+$"  # not all of Unicode is a name
    for path, method in ((EVALUATIONS, "post"), (CLIENTS, "put")):
        operation = paths[path][method]
        operation["parameters"] = [
            each for each in operation["parameters"] if each["name"] == "Accept-Language"
        ]
    return description


def _only(properties: dict[str, Any], names: Iterable[str]) -> None:
    for name in set(properties).difference(names):
        del properties[name]


def _api(description: Any, *accepted: str, modes: Iterable[GenerationMode] = GenerationMode) -> Any:
    """Return the API as a description has it; accepting may take these statuses, too."""
    statuses = ["2xx", "3xx", *accepted]
    checks = ChecksConfig(
        positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=statuses)
    )
    generation = GenerationConfig(modes=list(modes))
    projects = ProjectsConfig(default=ProjectConfig(checks=checks, generation=generation))
    config = SchemathesisConfig(projects=projects)
    api = schemathesis.openapi.from_dict(deepcopy(description), config=config)
    api.app = _nowhere
    return api


@schemathesis.serializer("application/x-ndjson")
def _lines(_: Any, value: Any) -> bytes:
    return (value if isinstance(value, str) else dumps(value)).encode("utf-8", "surrogatepass")


def _nowhere(*_: Any) -> Any:
    """Stand for the application of each case, which is that of its company."""
    raise NotImplementedError


AS_DESCRIBED = _api(_described(), "400", "404", "409", "412", "422")
OF_THIS_POLICY = _api(_of_this_company()).include(path=EVALUATIONS)
OF_THESE_CLIENTS = _api(_of_this_company(), modes=[GenerationMode.POSITIVE]).include(
    path=[STANDING, MEASURES, CLIENTS, DECISION]
)

_SETTINGS = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


@AS_DESCRIBED.parametrize()  # type: ignore[untyped-decorator]  # Schemathesis's
@_SETTINGS
def test_all_is_answered_as_described(case: Case[Any], company: Served) -> None:
    company.check(case)


@OF_THESE_CLIENTS.parametrize()  # type: ignore[untyped-decorator]  # Schemathesis's
@_SETTINGS
def test_what_is_said_and_asked_of_known_clients_is_accepted(
    case: Case[Any], company: Served
) -> None:
    company.check(case)


@OF_THIS_POLICY.parametrize()  # type: ignore[untyped-decorator]  # Schemathesis's
@_SETTINGS
def test_what_fits_the_policy_is_accepted_and_nothing_else_is(
    case: Case[Any], company: Served
) -> None:
    company.check(case)
