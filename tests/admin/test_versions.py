"""Versions as people see them: which there are, what each says, and what may be done with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin import create_pages
from rules.document import load
from rules.document.strict_json import canonical_bytes, digest, loads
from rules.examples import failures
from rules.reference import Reference
from tests.admin.conftest import SignedIn
from tests.admin.visiting import Visitor
from tests.app.asking import EXAMPLE
from tests.app.company import Company, company_in
from tests.app.shelf import (
    approved,
    drafted,
    held,
    reviewed,
    scheduled,
    stocked,
    submitted,
    version,
)
from tests.rules.builders import Document


def content(limit: int = 2_500_000) -> Document:
    """Return the policy in force with another limit for silver, and the examples that fit it."""
    text = canonical_bytes(loads(EXAMPLE.read_bytes())).decode()
    asked = '"metric":"revenue_12m","operator":"at_least","value":'
    assert f"{asked}2000000" in text
    document: Document = loads(text.replace(f"{asked}2000000", f"{asked}{limit}"))  # type: ignore[assignment]  # an object
    policy = load(document)
    wrong = {each.place for each in failures(policy, Reference(policy).judge)}
    fitting = [each for place, each in enumerate(document["examples"]) if place not in wrong]
    return {**document, "examples": fitting}


def test_every_state_stands_in_the_list_with_who_when_and_why(
    signed_in: SignedIn, shop: Company
) -> None:
    submitted(shop, content())

    page = signed_in("max").get("/versions/").text

    assert '<span class="tag good">In force</span>' in page
    assert '<span class="tag brand">In review</span>' in page
    assert "Edith" in page
    assert "Because." in page


def test_a_version_says_in_words_what_it_holds_and_what_became_of_it(
    signed_in: SignedIn, shop: Company
) -> None:
    number = submitted(shop, content())
    reviewed(shop, number, "changes_requested")

    page = signed_in("edith").get(f"/versions/{number}/").text

    assert "Changes requested" in page
    assert "Paul asked for changes: It is changes_requested." in page
    assert "Revenue in the last 12 months" in page
    assert "revenue_12m" not in page
    assert "Edith submitted version 2 of the policy for review." in page


def test_a_version_that_cannot_be_read_in_words_says_so(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, {"tiers": []})

    page = signed_in("max").get(f"/versions/{number}/")

    assert page.status_code == 200
    assert "something in it is wrong" in page.text


@pytest.mark.parametrize(
    ("name", "possible"),
    [
        ("edith", {"withdraw"}),
        ("paul", {"review", "withdraw"}),
        ("max", set()),
        ("olga", set()),
        ("anna", set()),
    ],
)
def test_each_is_offered_what_they_may_do_now(
    signed_in: SignedIn, shop: Company, name: str, possible: set[str]
) -> None:
    number = submitted(shop, content())

    page = signed_in(name).get(f"/versions/{number}/").text

    assert ("Review it" in page) == ("review" in possible)
    assert ("Take it back" in page) == ("withdraw" in possible)


def test_any_two_are_compared_in_words(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, content())
    visitor = signed_in("max")

    page = visitor.get(f"/versions/{number}/compare").text
    assert "<del>" in page
    assert "at least £25,000.00" in page
    same = visitor.get(f"/versions/{number}/compare?with={number}").text
    assert "They say the same" in same
    assert visitor.get(f"/versions/{number}/compare?with=99").status_code == 404


def test_what_cannot_be_read_is_not_compared(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, {"tiers": []})

    page = signed_in("max").get(f"/versions/{number}/compare")

    assert page.status_code == 200
    assert f"Version {number} cannot be read in words" in page.text


def test_a_version_is_saved_as_the_very_bytes_of_its_digest(
    signed_in: SignedIn, shop: Company
) -> None:
    number = submitted(shop, content())

    answer = signed_in("max").get(f"/versions/{number}/policy.json")

    assert digest(loads(answer.data)) == version(shop, number).digest
    assert answer.headers["Content-Disposition"].endswith(f'"policy-{number}.json"')


def test_a_version_that_was_held_says_why(signed_in: SignedIn, shop: Company) -> None:
    number = approved(shop, content())
    held(shop, number)

    page = signed_in("paul").get(f"/versions/{number}/").text

    assert "Held back" in page
    assert "must be EUR, the installation" in page
    assert "Say from when it is in force" in page


def test_a_version_that_is_due_is_looked_at_again(signed_in: SignedIn, shop: Company) -> None:
    number = approved(shop, content())
    scheduled(shop, number)

    page = signed_in("paul").get(f"/versions/{number}/").text

    assert 'hx-trigger="every 2s"' in page


def test_a_version_is_withdrawn_with_a_comment(signed_in: SignedIn, shop: Company) -> None:
    number = drafted(shop, content())
    visitor = signed_in("edith")
    visitor.get(f"/versions/{number}/")

    refused = visitor.post(f"/versions/{number}/withdraw")
    assert refused.status_code == 422
    assert 'href="#f-comment"' in refused.text
    done = visitor.post(f"/versions/{number}/withdraw", comment="Not needed.")

    assert done.status_code == 302
    assert version(shop, number).state == "withdrawn"
    assert "Not needed." in visitor.get(f"/versions/{number}/").text


def test_what_is_over_is_not_withdrawn(signed_in: SignedIn, shop: Company) -> None:
    visitor = signed_in("edith")
    visitor.get("/versions/1/")

    assert visitor.post("/versions/1/withdraw", comment="No.").status_code == 409
    assert visitor.post("/versions/99/withdraw", comment="No.").status_code == 404
    assert version(shop, 1).state == "in_force"


def test_every_page_of_a_version_opens_in_every_state(tmp_path: Path) -> None:
    with company_in("sqlite", tmp_path, demo=True) as company:
        pages, numbers = create_pages(company.merit), stocked(company)
        for name in ("edith", "paul", "max"):
            visitor = Visitor(pages.test_client(), company).sign_in(name)
            for state, number in numbers.items():
                for part in ("", "compare", "review", "effect"):
                    answer = visitor.get(f"/versions/{number}/{part}")
                    assert answer.status_code == 200, (name, state, part, answer.text[-300:])


@pytest.mark.parametrize("part", ["", "compare", "policy.json", "review", "effect"])
def test_there_is_no_page_of_what_does_not_exist(signed_in: SignedIn, part: str) -> None:
    assert signed_in("max").get(f"/versions/99/{part}").status_code == 404


def test_a_new_draft_begins_from_any_version(signed_in: SignedIn, shop: Company) -> None:
    visitor = signed_in("edith")
    page = visitor.get("/versions/1/").text
    assert '<input type="hidden" name="start" value="version:1">' in page

    answer = visitor.post("/drafts/new", start="version:1")

    assert answer.location == "/drafts/2/"
    assert version(shop, 2).based_on == 1
    assert "from version 1" in visitor.get("/versions/2/").text
