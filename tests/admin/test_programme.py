"""The page for everybody: what the programme asks for and brings, and nothing else."""

from __future__ import annotations

import pytest

from app.services.people import show_public_page
from rules.document import load
from rules.document.strict_json import loads
from rules.policy import Policy
from rules.programme import chapters
from tests.admin.conftest import SignedIn
from tests.admin.visiting import Visitor
from tests.app.asking import EXAMPLE
from tests.app.company import Company


@pytest.fixture
def policy() -> Policy:
    return load(loads(EXAMPLE.read_bytes()))


@pytest.fixture
def public(shop: Company) -> Company:
    with shop.merit.acting(shop.actor("anna")) as act:
        show_public_page(act, True)
    return shop


def test_it_is_shown_only_if_it_is_switched_on(stranger: Visitor) -> None:
    assert stranger.get("/programme").status_code == 404
    assert stranger.get("/programme/en").status_code == 404


def test_an_administrator_switches_it_on_and_off(signed_in: SignedIn, stranger: Visitor) -> None:
    anna = signed_in("anna")
    assert "It is hidden." in anna.get("/people/").text
    assert anna.post("/people/public-page", shown="yes").status_code == 302
    assert stranger.get("/programme").status_code == 200
    assert anna.post("/people/public-page", shown="yes").status_code == 409
    anna.get("/people/")
    anna.post("/people/public-page", shown="no")
    assert stranger.get("/programme").status_code == 404
    assert signed_in("paul").post("/people/public-page", shown="yes").status_code == 403


@pytest.mark.usefixtures("public")
def test_it_tells_criteria_benefits_and_how_one_is_stepped_down(stranger: Visitor) -> None:
    page = stranger.get("/programme").text
    for said in (
        "Revenue in the last 12 months is at least £20,000.00",
        "Free delivery",
        "A call at least every 90 days",
        "30 days later: without “No waiting in the common queue”;",
        "60 days later: one tier down.",
        "This is where everybody begins",
    ):
        assert said in page, said
    assert page.count("<h1") == 1


def inside(policy: Policy) -> set[str]:
    """Return the words of a policy that are for nobody outside."""
    keys = {*policy.metrics, *(each.key for each in policy.demotion_policies)} - {"orders"}
    names = {each.name["en"] for each in policy.demotion_policies}
    names |= {each.name["en"] for each in policy.segments}
    return keys | names | {"letter", "answers for", "activities", "sum of", "working minutes"}


@pytest.mark.usefixtures("public")
def test_it_tells_nothing_of_how_it_is_worked_out(stranger: Visitor, policy: Policy) -> None:
    page = stranger.get("/programme").text
    assert [each for each in inside(policy) if each in page] == []


@pytest.mark.usefixtures("public")
def test_it_is_in_the_language_of_who_visits(stranger: Visitor) -> None:
    asked = stranger.get("/programme", **{"Accept-Language": "uk, en;q=0.5"})
    assert '<html lang="uk">' in asked.text
    assert asked.headers["Content-Language"] == "uk"
    assert "Accept-Language" in asked.headers["Vary"]
    chosen = stranger.get("/programme/uk", **{"Accept-Language": "en"})
    assert '<html lang="uk">' in chosen.text
    assert 'href="/programme/en"' in chosen.text
    assert stranger.get("/programme/xx").status_code == 404


@pytest.mark.usefixtures("public")
def test_it_sets_no_cookie_and_can_be_kept(stranger: Visitor, signed_in: SignedIn) -> None:
    answer = stranger.get("/programme?language=en")
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert "Cookie" not in answer.headers["Vary"]
    again = stranger.get("/programme", **{"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert "Max" not in signed_in("max").get("/programme").text


@pytest.mark.usefixtures("public")
def test_it_has_no_script_and_nothing_from_elsewhere(stranger: Visitor) -> None:
    page = stranger.get("/programme").text
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
    assert "style=" not in page


def test_tiers_are_told_from_the_highest(policy: Policy) -> None:
    told = chapters(policy)
    assert [each.tier for each in told] == [*reversed(policy.tiers)]
    assert not told[-1].entry
    assert not told[-1].steps
    assert told[0].keep == ()
    assert told[1].keep
