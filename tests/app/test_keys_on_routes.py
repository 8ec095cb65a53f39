"""Keys: no route gives, changes or tells anything without one that is good for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from zlib import crc32

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from app.models import Attempts, Base, Key
from app.services.authority import Scope
from app.services.keys import NewKey, Secret, Terms, create_key, parse, revoke_key, rotate_key
from app.services.limits import MOST
from tests.app.asking import answered, problem, served
from tests.app.company import Company

OPEN = {"/livez", "/readyz", "/api/openapi.json", "/api/docs", "/api/docs/<name>"}
"""The routes that ask for no key."""

PUT = "/api/v1/clients/<reference>"
GROUP = "/api/v1/groups/<reference>"
SALE = {
    "source": "till",
    "id": "1",
    "client": "C-1",
    "kind": "sale",
    "date": "2026-06-01",
    "amount": 1,
}
BODIES: dict[str, object] = {
    PUT: {"name": "Café Nord"},
    GROUP: {"members": ["C-1"], "head": "C-1"},
    "/api/v1/activities": [SALE],
    "/api/v1/evaluations": {"facts": {"orders": 1}},
}
"""What each route takes that takes a body."""

SCOPES = {
    ("PUT", PUT): {Scope.CLIENTS_WRITE},
    ("PUT", GROUP): {Scope.CLIENTS_WRITE},
    ("POST", "/api/v1/activities"): {Scope.ACTIVITIES_WRITE},
    ("POST", "/api/v1/evaluations"): {Scope.EVALUATE_FACTS, Scope.EVALUATE_CLIENT},
    ("GET", "/api/v1/clients/<reference>/standing"): {Scope.STANDING_READ},
    ("GET", "/api/v1/clients/<reference>/measures"): {Scope.STANDING_READ},
    ("GET", "/api/v1/policy"): {Scope.POLICY_READ},
    ("GET", "/api/v1/decisions/<decision_id>"): {Scope.DECISIONS_READ},
    ("GET", "/api/v1/history"): {Scope.HISTORY_READ},
    ("GET", "/metrics"): {Scope.METRICS_READ},
}
"""Which scopes each route takes; one of them is enough to be let in."""

_addresses = count(1)


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    rule: str

    def ask(self, app: Flask, authorization: str | None, reference: str = "C-1") -> TestResponse:
        """Ask as a stranger from an address of its own, with what the route takes."""
        path = self.rule.replace("<reference>", reference).replace("<decision_id>", "0" * 32)
        headers = {"X-Nothing": "1"} if authorization is None else {"Authorization": authorization}
        number = next(_addresses)
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = ""
        return client.open(
            path,
            method=self.method,
            json=BODIES.get(self.rule),
            headers=headers,
            environ_base={"REMOTE_ADDR": f"10.0.{number // 250}.{number % 250}"},
        )


def routes(app: Flask) -> list[Route]:
    return [
        Route(method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule not in OPEN
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def made(company: Company, *scopes: Scope, **terms: Any) -> NewKey:
    with company.merit.acting(company.actor("anna")) as act:
        wanted = Terms("a desk", scopes or list(Scope), timedelta(days=30), **terms)
        return create_key(act, company.merit.secret, wanted)


def bearer(key: NewKey) -> str:
    return f"Bearer {key.text}"


def everything(company: Company) -> dict[str, Any]:
    """Return all that is stored, failures counted and keys stamped apart."""
    with company.merit.database.reading() as session:
        return {
            name: sorted(map(repr, session.execute(select(table)).all()))
            for name, table in Base.metadata.tables.items()
            if name not in ("attempts", "keys")
        }


@pytest.fixture
def app(company: Company) -> Flask:
    return served(company)


def test_every_route_says_which_scopes_it_takes(app: Flask) -> None:
    assert {(each.method, each.rule) for each in routes(app)} == set(SCOPES)


def test_the_open_routes_take_no_key(app: Flask) -> None:
    for path in ("/livez", "/readyz", "/api/openapi.json", "/api/docs"):
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = ""
        assert client.get(path).status_code == 200


def bad_keys(company: Company, tmp_path: Path) -> Iterator[tuple[str, str | None]]:
    """Yield what may stand in place of a good key."""
    good = company.key
    found = parse(good)
    assert found
    key_id, secret = found
    yield "none", None
    yield "empty", ""
    yield "another scheme", "Basic bWVyaXQ6bWVyaXQ="
    yield "the key without a scheme", good
    yield "no key", "Bearer"
    yield "malformed", "Bearer merit_x"
    yield (
        "not of this alphabet",
        f"Bearer merit_{'ї' * 12}_{'ї' * 43}_{'ї' * 8}".encode().decode("latin-1"),
    )
    yield "wrong checksum", f"Bearer {good[:-1]}{'0' if good[-1] != '0' else '1'}"
    yield "longer than keys are", f"Bearer {good}0"
    other = made(company)
    yield "unknown", bearer(other).replace(other.id, "0" * 12)
    elsewhere = Secret(tmp_path / "elsewhere")
    elsewhere.ensure()
    with company.merit.acting(company.actor("anna")) as act:
        foreign = create_key(act, elsewhere, Terms("foreign", list(Scope), timedelta(days=30)))
    yield "of another installation", bearer(foreign)
    mixed = parse(other.text)
    assert mixed
    yield "another's secret", f"Bearer merit_{key_id}_{mixed[1]}_{checksum(key_id, mixed[1])}"
    assert secret != mixed[1]
    ended = made(company)
    with company.merit.acting(company.actor("ben")) as act:
        revoke_key(act, ended.id)
    yield "revoked", bearer(ended)


def checksum(key_id: str, secret: str) -> str:
    return f"{crc32(f'{key_id}_{secret}'.encode()):08x}"


def test_no_route_takes_a_key_that_is_not_good(
    company: Company, app: Flask, tmp_path: Path
) -> None:
    answered(app.test_client().get("/api/v1/history"))  # the good key is stamped
    keys = dict(bad_keys(company, tmp_path))
    before = everything(company)

    for route in routes(app):
        for what, key in keys.items():
            refused = route.ask(app, key)
            assert refused.status_code == 401, (route, what)
            assert refused.headers["WWW-Authenticate"] == "Bearer"
            found = problem(refused, 401)
            assert found["type"] == "urn:merit:problem:unauthorized"
            assert "errors" not in found
    assert everything(company) == before


def test_a_key_is_good_until_it_expires(company: Company, app: Flask) -> None:
    key = made(company)

    company.clock.advance(days=30, seconds=-1)
    assert [each for each in routes(app) if each.ask(app, bearer(key)).status_code == 401] == []
    company.clock.advance(seconds=1)
    assert {each.ask(app, bearer(key)).status_code for each in routes(app)} == {401}


def test_both_keys_of_a_rotation_are_good_until_the_overlap_ends(
    company: Company, app: Flask
) -> None:
    old = made(company)
    with company.merit.acting(company.actor("anna")) as act:
        new = rotate_key(act, company.merit.secret, old.id, timedelta(days=2))

    for route in routes(app):
        for key in (old, new):
            assert route.ask(app, bearer(key)).status_code != 401, route
    company.clock.advance(days=2)
    for route in routes(app):
        assert route.ask(app, bearer(old)).status_code == 401, route
        assert route.ask(app, bearer(new)).status_code != 401, route


def test_a_key_with_every_scope_but_the_needed_ones_gets_nothing(
    company: Company, app: Flask
) -> None:
    keys = {
        (route.method, route.rule): made(company, *(set(Scope) - SCOPES[route.method, route.rule]))
        for route in routes(app)
    }
    before = everything(company)

    for route in routes(app):
        refused = route.ask(app, bearer(keys[route.method, route.rule]))
        found = problem(refused, 403)
        assert (
            min(SCOPES[route.method, route.rule]).value in found["detail"]
            or len(SCOPES[route.method, route.rule]) > 1
        )
    assert everything(company) == before


def test_one_scope_is_enough(company: Company, app: Flask) -> None:
    for route in routes(app):
        for scope in SCOPES[route.method, route.rule]:
            if scope is not Scope.EVALUATE_CLIENT:  # for other questions
                key = made(company, scope)
                assert route.ask(app, bearer(key)).status_code not in (401, 403), route


@pytest.mark.parametrize("key", [None, "without the scope"])
def test_nobody_without_the_right_key_learns_whether_a_client_exists(
    company: Company, app: Flask, key: str | None
) -> None:
    app.test_client().put("/api/v1/clients/C-1", json={})
    shown = bearer(made(company, Scope.METRICS_READ)) if key else None

    for route in routes(app):
        if "<reference>" in route.rule:
            known, unknown = route.ask(app, shown, "C-1"), route.ask(app, shown, "C-2")
            malformed = route.ask(app, shown, "%00")
            assert known.status_code == unknown.status_code == malformed.status_code
            assert known.get_data() == unknown.get_data() == malformed.get_data()


# -- how often ---------------------------------------------------------------------------------


def test_too_many_wrong_keys_from_one_address_are_not_looked_at_any_more(
    company: Company, app: Flask
) -> None:
    client = app.test_client()
    wrong = {"Authorization": "Bearer wrong"}

    for _ in range(MOST):
        problem(client.get("/api/v1/policy", headers=wrong), 401)
    company.clock.advance(seconds=60)
    refused = client.get("/api/v1/policy", headers=wrong)

    problem(refused, 429)
    assert refused.headers["Retry-After"] == "240"
    assert client.get("/api/v1/policy").status_code == 200
    elsewhere = client.get(
        "/api/v1/policy", headers=wrong, environ_base={"REMOTE_ADDR": "10.1.1.1"}
    )
    problem(elsewhere, 401)
    company.clock.advance(seconds=240)
    problem(client.get("/api/v1/policy", headers=wrong), 401)


def test_wrong_keys_from_many_threads_are_all_counted(company: Company, app: Flask) -> None:
    answers: list[int] = []
    together = Barrier(6)

    def guess() -> None:
        together.wait()
        found = app.test_client().get("/api/v1/policy", headers={"Authorization": "Bearer x"})
        answers.append(found.status_code)

    in_threads(guess, 6)

    assert answers == [401] * 6
    with company.merit.database.reading() as session:
        assert session.execute(select(func.sum(Attempts.number))).scalar() == 6


def in_threads(work: Any, number: int) -> None:
    threads = [Thread(target=work) for _ in range(number)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()


def test_a_key_asks_as_often_in_a_minute_as_it_may(company: Company, app: Flask) -> None:
    key = made(company, per_minute=3)
    client = app.test_client()
    company.clock.advance(seconds=50)
    slow = {"Authorization": bearer(key)}

    for _ in range(3):
        assert client.get("/api/v1/policy", headers=slow).status_code == 200
    refused = client.get("/api/v1/policy", headers=slow)

    problem(refused, 429)
    assert refused.headers["Retry-After"] == "10"
    assert client.get("/api/v1/policy").status_code == 200  # another key
    company.clock.advance(seconds=10)
    assert client.get("/api/v1/policy", headers=slow).status_code == 200


def test_a_wrong_secret_does_not_use_up_a_keys_pace(company: Company, app: Flask) -> None:
    key = made(company, per_minute=1)
    found = parse(key.text)
    assert found
    key_id, _ = found
    wrong = f"Bearer merit_{key_id}_{'A' * 43}_{checksum(key_id, 'A' * 43)}"
    client = app.test_client()

    for _ in range(3):
        problem(client.get("/api/v1/policy", headers={"Authorization": wrong}), 401)

    assert client.get("/api/v1/policy", headers={"Authorization": bearer(key)}).status_code == 200


# -- what is kept of a key ---------------------------------------------------------------------


def test_a_key_is_stamped_with_the_day_it_was_last_used(company: Company, app: Flask) -> None:
    key = made(company)
    client = app.test_client()

    def last_used() -> object:
        with company.merit.database.reading() as session:
            return session.get_one(Key, key.id).last_used

    assert last_used() is None
    today = company.clock.now.date()
    for _ in range(2):
        client.get("/api/v1/policy", headers={"Authorization": bearer(key)})
        assert last_used() == today
    company.clock.advance(days=1)
    client.get("/api/v1/clients/C-1/standing", headers={"Authorization": bearer(key)})
    assert last_used() == today + timedelta(days=1)


def test_a_stamp_of_today_is_not_written_again(company: Company, app: Flask) -> None:
    client = app.test_client()
    assert client.get("/api/v1/policy").status_code == 200

    with company.merit.database.writing() as session:  # nobody else can write now
        session.execute(text("UPDATE keys SET per_minute = per_minute"))
        assert client.get("/api/v1/policy").status_code == 200


def test_the_secret_of_a_key_is_stored_nowhere(company: Company, app: Flask) -> None:
    key = made(company)
    found = parse(key.text)
    assert found
    app.test_client().get("/api/v1/policy", headers={"Authorization": bearer(key)})

    with company.merit.database.reading() as session:
        stored = [
            repr(row)
            for table in Base.metadata.tables.values()
            for row in session.execute(select(table)).all()
        ]
    assert any(key.id in row for row in stored)
    assert not any(found[1] in row for row in stored)
    assert not any(found[1].encode().hex() in row for row in stored)
    if company.place.kind == "sqlite":
        path = company.merit.database.engine.url.database
        for file in Path(path or "").parent.glob(f"{Path(path or '').name}*"):
            assert found[1].encode() not in file.read_bytes()
