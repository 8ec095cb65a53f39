"""A client tried on a version, on a page: side by side, and over the past year."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM
from tests.admin.conftest import SignedIn
from tests.admin.test_effects import served, spending
from tests.app.company import Company
from tests.app.granting import erase
from tests.app.shelf import drafted
from tests.rules.builders import activities, condition, metric

__all__ = ["served"]


def everything() -> Any:
    """Return a policy that measures something of every type."""
    kinds = ("money", "count", "decimal", "days", "date", "boolean", "choice")
    measured = [metric(f"a_{kind}", kind) for kind in kinds]
    document = spending(1000)
    return {**document, "metrics": [*document["metrics"], *measured]}


def test_a_client_is_shown_by_both_side_by_side(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, spending(2000))

    page = signed_in("max").get(f"/versions/{number}/try?client=C-1500").text

    assert "The version gives another tier than the policy in force." in page
    assert '<span class="tag brand">gold</span>' in page
    assert '<span class="tag brand">base</span>' in page
    assert '<span class="tag warn">differs</span>' in page
    assert "Spend is £15.00; gold asks for at least £20.00: £5.00 short." in page


def test_where_both_give_the_same_that_is_said(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, spending(1001))

    page = signed_in("max").get(f"/versions/{number}/try?client=C-2500").text

    assert "Both give the same tier." in page


def test_a_client_is_made_up_of_figures(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, spending(2000))

    page = signed_in("max").get(f"/versions/{number}/try?invented=yes&fact:spend=15").text

    assert "The client you made up" in page
    assert "The version gives another tier" in page
    assert 'name="fact:spend" type="text" value="15"' in page


def test_there_is_a_field_for_every_type(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, everything())
    typed = {
        "spend": "1.234,00",
        "a_count": "3",
        "a_decimal": "4.5",
        "a_days": "10",
        "a_date": "2026-01-01",
        "a_boolean": "yes",
        "a_choice": "hotel",
    }
    asked = "&".join(f"fact:{key}={value}" for key, value in typed.items() if key != "spend")
    visitor = signed_in("max")

    page = visitor.get(f"/versions/{number}/try?invented=yes&fact:spend=1234.00&{asked}")

    assert page.status_code == 200
    assert '<span class="tag brand">gold</span>' in page.text


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("spend", "a lot", "Must be an amount of money"),
        ("a_count", "1.5", "Must be a whole number"),
        ("a_decimal", "x", "Must be a number"),
        ("a_date", "soon", "Must be a day"),
        ("a_boolean", "perhaps", "Must be yes or no"),
        ("a_choice", "palace", "Must be "),
    ],
)
def test_a_figure_that_does_not_fit_is_said_at_its_field(
    signed_in: SignedIn, served: Company, key: str, typed: str, said: str
) -> None:
    number = drafted(served, everything())

    page = signed_in("max").get(f"/versions/{number}/try?invented=yes&fact:{key}={typed}")

    assert page.status_code == 422
    assert f'href="#f-fact-{key.replace("_", "-")}">{said}' in page.text


def test_who_is_not_there_is_said_at_the_field(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, spending(2000))
    erase(served, "C-1500")
    visitor = signed_in("max")

    for reference in ("C-99", "C-1500", "?"):
        page = visitor.get(f"/versions/{number}/try?client={reference}")
        assert page.status_code == 422, reference
        assert 'href="#f-client"' in page.text
    for reference, status in (("C-99", 404), ("C-1500", 409), ("", 404)):
        page = visitor.get(f"/versions/{number}/try/year?client={reference}")
        assert page.status_code == status, reference


def test_the_past_year_is_a_table_and_a_picture(signed_in: SignedIn, served: Company) -> None:
    sale = NewActivity("till", "t-1", "C-1500", "sale", date(2025, 9, 10), amount=5000)
    with served.merit.acting(SYSTEM) as act:
        record_activities(act, [sale])
    document = spending(2000)
    window = {"kind": "rolling", "n": 3, "unit": "months"}
    document["metrics"][0] = metric("spend", "money", activities("sum", "amount", window=window))
    number = drafted(served, {**document, "segments": []})

    page = signed_in("max").get(f"/versions/{number}/try/year?client=C-1500").text

    assert "<svg" in page
    assert "<td>September 10, 2025</td><td>gold</td>" in page
    assert "<td>December 10, 2025</td><td>base</td>" in page
    assert "Rose to gold." in page
    assert "<td>July 1, 2026</td><td>base</td><td>gold</td>" in page


def test_a_version_that_cannot_be_read_is_tried_on_nobody(
    signed_in: SignedIn, served: Company
) -> None:
    number = drafted(served, {"tiers": []})
    visitor = signed_in("max")

    page = visitor.get(f"/versions/{number}/try?client=C-1500")
    assert "Something in the version is wrong" in page.text
    assert visitor.get(f"/versions/{number}/try/year?client=C-1500").status_code == 409


def test_days_that_cannot_be_measured_are_said(signed_in: SignedIn, served: Company) -> None:
    document = spending(2000)
    document["metrics"][0] = metric("spend", "choice")
    document["tiers"][1]["entry"] = condition("spend", "is", "hotel")
    number = drafted(served, {**document, "segments": []})
    visitor = signed_in("max")

    assert "cannot be measured" in visitor.get(f"/versions/{number}/try?client=C-1500").text
    year = visitor.get(f"/versions/{number}/try/year?client=C-1500").text
    assert "On one day what is recorded does not fit" in year


def test_who_may_not_read_clients_tries_none(signed_in: SignedIn) -> None:
    visitor = signed_in("anna")

    for part in ("try", "try/year?client=C-1500"):
        assert visitor.get(f"/versions/1/{part}").status_code == 403
