"""Every address there is, whom it is for, and that nobody else comes in or changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
from flask import Flask, url_for
from sqlalchemy import select

from admin.sessions import COOKIE
from app.models import HistoryHead
from app.services.authority import Permission
from tests.admin.conftest import SignedIn
from tests.admin.visiting import Visitor
from tests.app.company import CAST, Company

PUBLIC = {
    "home.static",
    "public.programme",
    "security.login",
    "security.two_factor_rescue",
    "security.two_factor_setup",
    "security.two_factor_token_validation",
    "static",
    "vendor",
}
"""What is for everybody: it shows nothing that is not public, and changes nothing."""

OF_THE_LIBRARY = {"security.logout", "security.two_factor_setup_validate", "security.verify"}
"""What Flask-Security itself keeps for whoever is signed in."""

SAMPLES: dict[str, Any] = {
    "export_type": "csv",
    "filename": "x",
    "key_id": "0",
    "name": "x",
    "number": 1,
    "part": "tiers",
    "ref": "gold",
    "reference": "C-17",
    "token": "x",
}
"""Something to stand for each place in an address."""


class Route(NamedTuple):
    """One address with one way to ask for it, and the permissions of which it takes one."""

    endpoint: str
    method: str
    url: str
    takes: tuple[Permission, ...]


def declared(pages: Flask, endpoint: str) -> tuple[Permission, ...]:
    """Return what a page says it takes; it is a mistake for one to say nothing."""
    [admin] = pages.extensions["admin"]
    blueprint, _, name = endpoint.rpartition(".")
    [view] = [each for each in admin._views if each.endpoint == blueprint]
    found: tuple[Permission, ...] = view._taken(name).takes
    return found


def routes(pages: Flask) -> list[Route]:
    """Return every address that is not public.

    All at once: who is signed in is remembered for as long as a request is open around another.
    """
    with pages.test_request_context():
        return [*_routes(pages)]


def _routes(pages: Flask) -> Iterator[Route]:
    for rule in pages.url_map.iter_rules():
        if rule.endpoint in PUBLIC | OF_THE_LIBRARY or rule.endpoint.endswith(".static"):
            continue
        takes = declared(pages, rule.endpoint)
        url = url_for(rule.endpoint, **{each: SAMPLES[each] for each in rule.arguments})
        for method in {"GET", "POST"} & (rule.methods or set()):
            yield Route(rule.endpoint, method, url, takes)


def asked(visitor: Visitor, route: Route) -> Any:
    ask = visitor.get if route.method == "GET" else partial(visitor.post)
    return ask(route.url)


def length_of_history(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(HistoryHead.size)).scalar_one()


def test_a_stranger_is_led_to_sign_in_from_every_page(stranger: Visitor, pages: Flask) -> None:
    stranger.get("/sign-in")
    for route in routes(pages):
        answer = asked(stranger, route)
        assert (answer.status_code, answer.location.partition("?")[0]) == (302, "/sign-in"), route


def test_every_page_is_opened_by_those_it_is_for_and_by_nobody_else(
    signed_in: SignedIn, pages: Flask, shop: Company
) -> None:
    for name in ("anna", "edith", "paul", "olga", "max"):
        visitor, found = signed_in(name), shop.actor(name)
        for route in routes(pages):
            wanted = not route.takes or found.may(*route.takes)
            answer = asked(visitor, route)
            assert (answer.status_code != 403) == wanted, (name, CAST[name], route)
            assert answer.status_code < 500, (name, route, answer.text[-500:])


ATTACKS = ("no token", "wrong token", "foreign origin", "wrong role", "cookie after sign-out")


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_changed_by_who_may_not(
    attack: str, signed_in: SignedIn, pages: Flask, shop: Company
) -> None:
    """Each route that changes something, asked for as an attacker would have a browser ask."""
    everybody = {name: signed_in(name) for name in ("anna", "edith", "paul", "olga", "max")}
    actors = {name: shop.actor(name) for name in everybody}
    cookies = {}
    if attack == "cookie after sign-out":
        for name, visitor in everybody.items():
            cookie = visitor.browser.get_cookie(COOKIE)
            assert cookie is not None
            cookies[name] = (cookie.value, visitor.token)
            visitor.post("/sign-out")
    before, tried, accepted = length_of_history(shop), 0, []
    for route in routes(pages):
        if route.method == "GET":
            continue
        for name, found in actors.items():
            allowed = not route.takes or found.may(*route.takes)
            if allowed == (attack == "wrong role"):
                continue
            tried += 1
            answer = attacked(attack, everybody[name], route, cookies.get(name))
            if answer.status_code not in (400, 403) and not (answer.location or "").startswith(
                "/sign-in"
            ):
                accepted.append((route, name, answer.status_code))

    print(f"{attack}: {tried} tried, {len(accepted)} accepted")  # noqa: T201 - pytest -s shows it
    assert accepted == []
    assert length_of_history(shop) == before


def attacked(attack: str, visitor: Visitor, route: Route, cookie: tuple[str, str] | None) -> Any:
    match attack:
        case "no token":
            return visitor.browser.post(route.url)
        case "wrong token":
            return visitor.browser.post(route.url, data={"csrf_token": visitor.token[::-1]})
        case "foreign origin":
            return visitor.browser.post(
                route.url,
                data={"csrf_token": visitor.token},
                headers={"Origin": "https://elsewhere.example"},
            )
        case "cookie after sign-out":
            assert cookie is not None
            visitor.browser.set_cookie(COOKIE, cookie[0])
            return visitor.browser.post(route.url, data={"csrf_token": cookie[1]})
        case _:
            return visitor.post(route.url)
