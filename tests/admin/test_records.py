"""Lists of what is recorded: to be read, never written, and harmless in a spreadsheet."""

from __future__ import annotations

from datetime import date

import pytest

from app.services.activities import NewActivity, record_activities
from app.services.authority import Actor
from app.services.clients import Stated, put_client
from tests.admin.conftest import SignedIn
from tests.app.company import Company

LISTS = ("activities", "decisions", "standing_events", "jobs", "hook_deliveries")
DAY = date(2026, 6, 1)
TILL = Actor("key:till")


@pytest.fixture
def sold(shop: Company) -> None:
    """Somebody wrote a formula where a number of a till belongs."""
    with shop.merit.acting(TILL) as act:
        put_client(act, "C-17", Stated("Maria", "en", {}), DAY)
    formula = NewActivity("till", "=1+1", "C-17", "sale", DAY, amount=100)
    plain = NewActivity("till", "t-2", "C-17", "sale", DAY, amount=100)
    with shop.merit.acting(TILL) as act:
        record_activities(act, [formula, plain])


@pytest.mark.parametrize("name", LISTS)
def test_each_list_can_be_opened_searched_turned_over_and_exported(
    name: str, signed_in: SignedIn
) -> None:
    visitor = signed_in("olga")

    for address in ("", "?search=x", "?page=999999999999", "?sort=0&desc=1", "export/csv/"):
        assert visitor.get(f"/records/{name}/{address}").status_code == 200, address


@pytest.mark.usefixtures("sold")
def test_a_row_is_shown_by_the_clients_reference(signed_in: SignedIn) -> None:
    visitor = signed_in("olga")

    assert "C-17" in visitor.get("/records/activities/").text
    assert "C-17" in visitor.get("/records/activities/details/?id=1").text


@pytest.mark.usefixtures("sold")
def test_nothing_becomes_a_formula_in_what_is_exported(signed_in: SignedIn) -> None:
    exported = signed_in("olga").get("/records/activities/export/csv/").text

    assert ",'=1+1" in exported
    assert ",=1+1" not in exported


@pytest.mark.parametrize("name", LISTS)
def test_nothing_that_the_library_brings_to_write_is_there(name: str, signed_in: SignedIn) -> None:
    visitor = signed_in("olga")

    for verb in ("new/", "edit/?id=1", "delete/", "action/", "ajax/update/"):
        assert visitor.post(f"/records/{name}/{verb}").status_code in (404, 405), verb
    assert visitor.get(f"/records/{name}/new/").status_code == 404
