"""What tests tell of clients through the API, and how these then stand."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread
from typing import Any, TypeVar

from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.models import Decision
from app.services.authority import Scope
from app.services.errors import Refused
from app.services.keys import Terms, create_key
from rules.document import load
from rules.document.strict_json import dumps
from rules.reference import Reference
from tests.app.asking import answered, served
from tests.app.company import Company
from tests.rules.builders import Document, condition, metric, policy_document, tier

CLIENT = "C-17"
ACTIVITIES = "/api/v1/activities"

_Result = TypeVar("_Result")


def at(reference: str = CLIENT) -> str:
    return f"/api/v1/clients/{reference}"


def stated(app: Flask, reference: str = CLIENT, **attributes: object) -> None:
    """State the attributes of a client, and no others."""
    response = app.test_client().put(
        at(reference), data=dumps({"attributes": attributes}), content_type="application/json"
    )
    assert response.status_code in (200, 201), response.text


def sale(number: int | str, **parts: Any) -> Document:
    """Return a sale of the client's, unless ``parts`` say otherwise; None leaves one out."""
    told = {"source": "till", "id": str(number), "client": CLIENT, "kind": "sale"}
    dated = {} if "at" in parts else {"date": "2026-06-01"}
    every = {**told, **dated, "amount": 50000, **parts}
    return {name: value for name, value in every.items() if value is not None}


def void(number: int | str, of: int | str, **parts: Any) -> Document:
    return sale(number, kind="void", voids=str(of), amount=None, **parts)


def send(app: Flask, body: object, content_type: str = "application/json") -> TestResponse:
    """Send activities: bytes as they are, all else as JSON."""
    data = body if isinstance(body, bytes) else dumps(body)
    return app.test_client().post(ACTIVITIES, data=data, content_type=content_type)


def happened(app: Flask, *activities: Document) -> Any:
    return answered(send(app, activities))


def standing(app: Flask, reference: str = CLIENT, **headers: str) -> Any:
    return answered(read(app, reference, **headers))


def read(app: Flask, reference: str = CLIENT, **headers: str) -> TestResponse:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return app.test_client().get(f"{at(reference)}/standing", headers=named)


def decisions(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(Decision)).scalar_one()


def bearing(company: Company, *scopes: Scope) -> Flask:
    """Return the application; its test client bears a key of these scopes only."""
    with company.merit.acting(company.actor("anna")) as act:
        terms = Terms("a desk", list(scopes), timedelta(days=30))
        key = create_key(act, company.merit.secret, terms)
    return served(replace(company, key=key.text))


def at_once(number: int, work: Callable[[], _Result]) -> list[_Result]:
    """Return the results of so many threads doing the same at the same moment."""
    together, results = Barrier(number), list[_Result]()

    def one() -> None:
        together.wait()
        results.append(work())

    threads = [Thread(target=one) for _ in range(number)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return results


def racing(*each: Callable[[], object]) -> list[object]:
    """Do all at the same moment; return what each came to, or by what it was refused."""
    barrier = Barrier(len(each))

    def run(work: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return work()
        except Refused as error:
            return error

    with ThreadPoolExecutor(len(each)) as pool:
        return list(pool.map(run, each))


# -- policies ----------------------------------------------------------------------------------


def british(*metrics: Document, tiers: tuple[Document, ...]) -> Document:
    """Return a policy that a company of the tests can publish."""
    return policy_document(metrics, tiers, currency="GBP", time_zone="Europe/London")


def replacing(document: Document, **former: str) -> Document:
    """Return a policy that says which of its tiers take the place of former ones."""
    mapped = [{"key": key, "now": now} for key, now in former.items()]
    return {**document, "transition": {"former_tiers": mapped}}


def spending(limit: int = 1000) -> Document:
    """Return a policy that only a statement can move: silver from this on."""
    return british(
        metric("spend", "money"),
        tiers=(tier("silver", entry=condition("spend", "at_least", limit)),),
    )


def at_odds(company: Company, document: Document) -> None:
    """Let the reference evaluator of the policy in force judge by another one."""
    with company.merit.database.reading() as session:
        in_force = company.merit.rulebook.in_force(session)
    in_force.judge.reference = Reference(load(document))
