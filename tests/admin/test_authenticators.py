"""Authenticators: for whom they are obligatory, and that each of their codes serves once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from admin import create_pages
from app.services.people import new_password
from tests.admin.visiting import Visitor, code
from tests.app.company import Company, branch, close, company_in, email

_KEY = re.compile(r"<code>([A-Z2-7-]+)</code>")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company that is no demo; only ever copied."""
    with company_in("sqlite", tmp_path_factory.mktemp("real")) as company:
        close(company)
        yield company


@pytest.fixture
def office(real: Company, tmp_path: Path) -> Iterator[Company]:
    with branch(real, tmp_path) as company:
        yield company


def visitor(company: Company) -> Visitor:
    return Visitor(create_pages(company.merit).test_client(), company)


def give_password(found: Visitor, name: str) -> str:
    """Give the password; return where that leads."""
    found.get("/sign-in")
    known = found.company.passwords[name]
    answer = found.post("/sign-in", email=email(name), password=known)
    return (answer.location or "").partition("?")[0]


def set_up(found: Visitor) -> str:
    """Set an authenticator up while signing in; return its key."""
    found.get("/authenticator")
    page = found.post("/authenticator", setup="authenticator").text
    matched = _KEY.search(page)
    assert matched, page
    key = matched[1].replace("-", "")
    answer = found.post("/sign-in/code", code=code(found.company, key))
    assert answer.status_code == 302, answer.text
    return key


@pytest.mark.parametrize("name", ["anna", "paul"])
def test_administrators_and_approvers_set_one_up_before_they_come_in(
    name: str, office: Company
) -> None:
    found = visitor(office)

    assert give_password(found, name) == "/authenticator"
    assert found.get("/account/").status_code == 302
    set_up(found)

    assert found.get("/account/").status_code == 200


@pytest.mark.parametrize("name", ["edith", "olga", "max"])
def test_others_come_in_without_and_may_have_one_all_the_same(name: str, office: Company) -> None:
    found = visitor(office)
    assert give_password(found, name) == "/"
    found.get("/authenticator")
    page = found.post("/authenticator", setup="authenticator").text
    matched, address = _KEY.search(page), re.search(r'action="(/authenticator/[^"]+)"', page)
    assert matched
    assert address
    key = matched[1].replace("-", "")
    assert found.post(address[1], code=code(office, key)).location == "/account/"

    office.clock.advance(seconds=60)
    again = visitor(office)
    assert give_password(again, name) == "/sign-in/code"
    again.get("/sign-in/code")
    assert again.post("/sign-in/code", code=code(office, key)).location == "/"


def test_a_code_serves_once_and_a_wrong_one_never(office: Company) -> None:
    found = visitor(office)
    give_password(found, "paul")
    key = set_up(found)
    used = code(office, key)

    thief = visitor(office)
    assert give_password(thief, "paul") == "/sign-in/code"
    for tried in (used, "000000", "", "x" * 1000):
        thief.get("/sign-in/code")
        answer = thief.post("/sign-in/code", code=tried)
        assert "not the code shown now" in answer.text
    assert thief.get("/account/").status_code == 302

    office.clock.advance(seconds=30)
    thief.get("/sign-in/code")
    assert thief.post("/sign-in/code", code=code(office, key)).location == "/"


def test_after_ten_wrong_codes_even_the_right_one_has_to_wait(office: Company) -> None:
    found = visitor(office)
    give_password(found, "paul")
    key = set_up(found)
    office.clock.advance(seconds=60)

    thief = visitor(office)
    give_password(thief, "paul")
    for _ in range(10):
        thief.get("/sign-in/code")
        thief.post("/sign-in/code", code="000000")
    thief.get("/sign-in/code")
    assert "Too many attempts" in thief.post("/sign-in/code", code=code(office, key)).text

    office.clock.advance(minutes=5)
    thief.get("/sign-in/code")
    assert thief.post("/sign-in/code", code=code(office, key)).location == "/"


def test_who_must_have_one_cannot_do_without(office: Company) -> None:
    found = visitor(office)
    give_password(found, "paul")
    set_up(found)
    found.get("/authenticator")

    found.post("/authenticator", setup="disable")

    office.clock.advance(seconds=60)
    assert give_password(visitor(office), "paul") == "/sign-in/code"


def test_a_new_password_by_an_administrator_ends_the_authenticator(office: Company) -> None:
    found = visitor(office)
    give_password(found, "paul")
    set_up(found)

    with office.merit.acting(office.actor("anna")) as act:
        office.passwords["paul"] = new_password(act, email("paul"))

    assert found.get("/account/").status_code == 302
    # The role that asked for it has to be granted anew, so the password alone is enough till then.
    assert give_password(visitor(office), "paul") == "/"
