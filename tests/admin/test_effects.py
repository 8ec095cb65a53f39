"""Who would move by a version: begun, watched, looked at, and opened by name."""

from __future__ import annotations

import re
from datetime import date

import pytest
from sqlalchemy import select

from app.models import Client
from app.services.authority import SYSTEM, Actor
from app.services.clients import Stated, put_client
from app.services.effect import latest
from app.services.standings import decide
from app.words import Words
from tests.admin import visiting
from tests.admin.conftest import SignedIn
from tests.admin.test_versions import content
from tests.app.company import Company
from tests.app.dealings import british, replacing
from tests.app.effects import begun, work
from tests.app.shelf import drafted, saved, withdrawn
from tests.rules.builders import Document, condition, metric, tier

TODAY = date(2026, 7, 1)


def spending(limit: int) -> Document:
    """Return a policy with gold from this on, which takes the place of the one in force."""
    gold = tier("gold", entry=condition("spend", "at_least", limit))
    made = british(metric("spend", "money"), metric("profit", "money"), tiers=(gold,))
    rich = {
        "key": "rich",
        "name": {"en": "The rich"},
        "criteria": condition("spend", "at_least", 1),
    }
    return replacing({**made, "segments": [rich]}, standard="base", silver="base", platinum="gold")


@pytest.fixture
def served(shop: Company) -> Company:
    """A company with gold from 1,000 on, of whose clients two hold it."""
    shop.publish(spending(1000))
    for spent in (500, 1500, 2500):
        with shop.merit.acting(Actor("key:till")) as act:
            stated = Stated(f"=Client {spent}", attributes={"spend": spent, "profit": 7})
            put_client(act, f"C-{spent}", stated, TODAY)
    with shop.merit.acting(SYSTEM) as act:
        ids = list(act.session.execute(select(Client.id)).scalars())
        decide(act, shop.merit.rulebook, ids, TODAY, Words())
    return shop


def estimated(company: Company, limit: int = 2000) -> int:
    """Return a draft whose effect is worked out."""
    number = drafted(company, spending(limit))
    begun(company, number)
    work(company)
    return number


def begin(visitor: visiting.Visitor, number: int, **fields: str) -> int:
    visitor.get(f"/versions/{number}/effect")
    return visitor.post(f"/versions/{number}/effect", fields).status_code


def test_it_is_begun_watched_and_then_shown(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, spending(2000))
    visitor = signed_in("edith")

    assert begin(visitor, number, date="2026-07-01", metric="spend") == 302
    waiting = visitor.get(f"/versions/{number}/effect").text
    assert 'hx-trigger="every 1s"' in waiting
    assert "It has not begun yet" in waiting
    work(served)
    page = visitor.get(f"/versions/{number}/effect").text

    assert 'hx-trigger="every 1s"' not in page
    assert "1 of 3 clients would move." in page
    assert "£15.00" in page
    assert "<svg" in page
    assert "The rich" in page


def test_a_cell_leads_to_the_names_in_it(signed_in: SignedIn, served: Company) -> None:
    number = estimated(served)
    visitor = signed_in("max")

    page = visitor.get(f"/versions/{number}/effect").text
    [address] = set(re.findall(r'href="([^"]+held=gold&amp;gives=base)"', page))
    names = visitor.get(address.replace("&amp;", "&")).text

    assert 'href="/clients/C-1500"' in names
    assert "C-2500" not in names
    assert "Those who hold gold and would be given base." in names
    assert "at once" in names


def test_names_come_by_pages(
    signed_in: SignedIn, served: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("admin.effects.NAMES", 1)
    number = estimated(served, 9000)
    visitor = signed_in("max")

    first = visitor.get(f"/versions/{number}/effect/names").text
    [further] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = visitor.get(further.replace("&amp;", "&")).text

    assert ("C-1500" in first, "C-2500" in first) == (True, False)
    assert ("/clients/C-1500" in second, "/clients/C-2500" in second) == (False, True)
    assert 'rel="next"' not in second


def test_names_are_saved_without_formulas(signed_in: SignedIn, served: Company) -> None:
    number = estimated(served)

    answer = signed_in("max").get(f"/versions/{number}/effect/names.csv?held=gold&gives=base")

    assert answer.data.decode("utf-8-sig").splitlines()[1:] == [
        "C-1500,'=Client 1500,gold,base,at_once,no,1500"
    ]


def test_what_says_how_much_is_concerned_can_be_chosen(
    signed_in: SignedIn, served: Company
) -> None:
    number = drafted(served, spending(2000))
    visitor = signed_in("paul")

    assert begin(visitor, number, date="2026-07-02", metric="profit") == 302
    work(served)
    page = visitor.get(f"/versions/{number}/effect").text

    assert "£0.07" in page
    assert "July 2, 2026" in page


def test_an_effect_of_an_earlier_revision_says_so(signed_in: SignedIn, served: Company) -> None:
    number = estimated(served)
    saved(served, number, spending(2100), 1)

    assert (
        "The version was changed since." in signed_in("max").get(f"/versions/{number}/effect").text
    )


def test_an_effect_that_was_overtaken_says_so(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, spending(2000))
    begun(served, number)
    served.publish(spending(1200))
    work(served)
    visitor = signed_in("max")

    page = visitor.get(f"/versions/{number}/effect").text

    assert "Have it worked out anew." in page
    assert 'hx-trigger="every 1s"' not in page
    assert visitor.get(f"/versions/{number}/effect/names").status_code == 409


def test_who_cannot_be_measured_is_named_too(signed_in: SignedIn, served: Company) -> None:
    content_ = spending(2000)
    content_["metrics"][0] = metric("spend", "choice")
    content_["tiers"][1]["entry"] = condition("spend", "is", "hotel")
    content_["segments"] = []
    number = drafted(served, content_)
    begun(served, number)
    work(served)
    visitor = signed_in("max")

    assert "Cannot be measured" in visitor.get(f"/versions/{number}/effect").text
    names = visitor.get(f"/versions/{number}/effect/names?held=gold&gives=~").text
    assert "C-1500" in names


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"date": "2026-06-30"}, "date"),
        ({"date": "soon"}, "date"),
        ({"metric": "visits"}, "metric"),
    ],
    ids=["over", "not a date", "no such metric"],
)
def test_what_cannot_be_asked_for_is_said_at_its_field(
    signed_in: SignedIn, served: Company, fields: dict[str, str], field: str
) -> None:
    number = drafted(served, spending(2000))
    visitor = signed_in("edith")

    assert begin(visitor, number, **fields) == 422

    assert visitor.seen is not None
    assert f'href="#f-{field}"' in visitor.seen.text
    with served.merit.database.reading() as session:
        assert latest(session, number) is None


def test_a_draft_with_something_wrong_says_so(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, {"tiers": []})
    visitor = signed_in("edith")

    assert "Something in the version is wrong" in visitor.get(f"/versions/{number}/effect").text
    assert begin(visitor, number) == 422


def test_tiers_left_out_are_said(signed_in: SignedIn, served: Company) -> None:
    number = drafted(served, {**spending(2000), "transition": {}, "tiers": [tier("base")]})
    visitor = signed_in("edith")

    assert begin(visitor, number) == 422

    assert visitor.seen is not None
    assert "Must say which tiers take the place of gold" in visitor.seen.text


@pytest.mark.parametrize("name", ["max", "olga", "anna"])
def test_who_neither_writes_nor_reviews_does_not_begin_it(
    signed_in: SignedIn, served: Company, name: str
) -> None:
    number = drafted(served, spending(2000))
    visitor = signed_in(name)

    assert "Work it out" not in visitor.get(f"/versions/{number}/effect").text
    visitor.get("/account/")
    assert visitor.post(f"/versions/{number}/effect").status_code == 403


def test_who_may_not_read_clients_sees_no_names(signed_in: SignedIn, served: Company) -> None:
    number = estimated(served)
    visitor = signed_in("anna")

    for address in ("names", "names.csv"):
        assert visitor.get(f"/versions/{number}/effect/{address}").status_code == 403


def test_what_is_not_there_is_not_shown(signed_in: SignedIn, served: Company) -> None:
    visitor = signed_in("edith")
    number = drafted(served, content())

    assert visitor.get(f"/versions/{number}/effect/names").status_code == 404
    assert visitor.get(f"/versions/{number}/effect/names.csv").status_code == 404
    assert begin(visitor, 1) == 409
    visitor.get("/account/")
    assert visitor.post("/versions/99/effect").status_code == 404
    begun_ = drafted(served, spending(2000))
    withdrawn(served, begun_)
    assert begin(visitor, begun_) == 302
