"""How tests ask the service: applications with a policy and a clock, and what comes back."""

from __future__ import annotations

import re
from atexit import register
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from app.services.policies import PolicyInForce
from app.services.rulebook import Rulebook
from rules.document import load
from rules.document.strict_json import dumps, loads
from rules.explain import Explainer
from rules.judge import Judge
from tests.app.company import NOW, Company, close, founded, reopened
from tests.databases import Place
from tests.rules.builders import (
    Document,
    condition,
    metric,
    policy_document,
    tier,
)

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "wholesale.json"
EVALUATIONS = "/api/v1/evaluations"

Ask = Callable[[object], Any]
"""Asks one question, or a list of them, and returns the answer."""

QUESTION: Document = {
    "date": "2026-07-01",
    "facts": {"revenue_12m": 450000, "orders": 7, "cancellations": 1, "days_since_order": 30},
}
"""A question that the example's policy answers: silver."""

TYPES = policy_document(
    metrics=[
        metric("spend", "money"),
        metric("visits", "count"),
        metric("rating", "decimal", places=1),
        metric("idle", "days"),
        metric("birthday", "date"),
        metric("member", "boolean"),
        metric("trade", "choice"),
        metric("debt", "money", missing="cannot_decide"),
        metric("age", "days", {"kind": "days_since", "metric": "birthday"}),
        metric(
            "visit_spend",
            "money",
            {"kind": "ratio", "numerator": "spend", "denominator": "visits"},
        ),
        metric(
            "potential",
            "money",
            {"kind": "weighted_sum", "terms": [{"metric": "spend", "weight": 1000}]},
        ),
    ],
    tiers=[
        tier("silver", entry=condition("spend", "at_least", 1000)),
        tier(
            "gold",
            entry={"all": [condition("spend", "at_least", 2000), condition("debt", "at_most", 0)]},
        ),
    ],
)
"""A policy with a metric of every type, stated and derived."""


def prepared(document: Document) -> PolicyInForce:
    """Return a policy ready to judge, its document read as a file's would be."""
    read = loads(dumps(document))
    assert isinstance(read, dict)
    judge = Judge(load(read))
    return PolicyInForce(read, judge, Explainer(judge))


class Holding(Rulebook):
    """A rulebook with a policy that is in force whatever the database says."""

    def __init__(self, policy: PolicyInForce) -> None:
        super().__init__()
        self._policy = policy

    def in_force(self, session: Session) -> PolicyInForce:
        return self._policy


class Client(FlaskClient):
    """Bears the company's key, and reads every answer to its end, as a server does."""

    key = ""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        self.environ_base.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.key}")
        return super().open(*args, **{"buffered": True, **kwargs})


def served(company: Company) -> Flask:
    """Return the application over a company; its test client bears the company's key."""
    app = create_app(company.merit.config, company.clock)
    company.merit.install(app)
    app.test_client_class = type("KeyClient", (Client,), {"key": company.key})
    return app


@cache
def _original() -> Company:
    """Return a company without a policy that is only ever copied, one for each process."""
    folder = Path(mkdtemp())
    register(rmtree, folder)
    founding = founded(Place("sqlite", f"sqlite:///{folder / 'original.db'}"), folder / "secret")
    close(founding)
    return founding


def service(in_force: PolicyInForce | None, at: datetime = NOW) -> Flask:
    """Return the application over a new company with this policy in force at this instant."""
    original = _original()
    path = original.merit.config.secret_file.parent / f"{uuid4().hex}.db"
    copyfile(original.merit.config.secret_file.parent / "original.db", path)
    company = reopened(original, Place("sqlite", f"sqlite:///{path}"))
    company.clock.now = at
    if in_force is not None:
        vars(company.merit)["rulebook"] = Holding(in_force)
    return served(company)


def post(app: Flask, body: object, content_type: str = "application/json") -> TestResponse:
    """Send a body to be evaluated: bytes and text as they are, all else as JSON."""
    data = body if isinstance(body, bytes | str) else dumps(body)
    return app.test_client().post(EVALUATIONS, data=data, content_type=content_type)


def answered(response: TestResponse) -> Any:
    """Return the answer of a response, its numbers exact."""
    assert response.status_code == 200, response.text
    assert response.content_type == "application/json"
    return loads(response.get_data())


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """Return the problem of a response: it is one, and says so in every way."""
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    found = loads(response.get_data())
    assert isinstance(found, dict)
    assert set(found) - {"errors"} == {"type", "title", "status", "detail"}
    assert re.fullmatch("urn:merit:problem:[a-z-]+", found["type"])
    assert found["status"] == status
    for text in (found["title"], found["detail"]):
        assert text
        assert not text[0].islower()
        assert "%(" not in text
    for said in found.get("errors", {}).values():
        assert said
        assert all(isinstance(each, str) and "%(" not in each for each in said)
    return found


def counted(app: Flask, name: str, **labels: str) -> float:
    """Return what /metrics says of a counter; nought if it is not there yet."""
    label = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    sample = f"{name}{{{label}}} " if label else f"{name} "
    lines = app.test_client().get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(sample)), 0.0)
