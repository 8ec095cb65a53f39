"""The history as auditors read it."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from tests.admin.conftest import SignedIn
from tests.app.company import Company
from tests.app.granting import asked, client
from tests.app.test_verification import busy


def test_it_is_told_by_day_at_first_what_people_did(signed_in: SignedIn, shop: Company) -> None:
    busy(shop)
    asked(shop)
    olga = signed_in("olga")
    page = olga.get("/history/").text
    assert '<h2 class="day">July 1, 2026</h2>' in page
    assert '<time datetime="2026-07-01T13:00:00+01:00">13:00</time>' in page
    assert "Max asked for a hold on the tier held for client C-17" in page
    assert "<q>A flood.</q>" in page
    assert "recorded activities" not in page
    everything = olga.get("/history/?who=everybody").text
    assert "recorded activities" in everything


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("what=measure", "asked for a hold", "opened an account"),
        ("client=C-17", "asked for a hold", "opened an account"),
        ("version=1", "began version 1", "asked for a hold"),
        ("first=2026-07-02", "Nothing of this kind", "asked for a hold"),
        ("last=2026-06-30", "Nothing of this kind", "asked for a hold"),
        ("who=system&what=policy", "came into force", "asked for a hold"),
        ("what=nonsense", "opened an account", "<q>="),
        ("version=99", "Nothing of this kind", "asked for a hold"),
    ],
)
def test_it_is_filtered(
    signed_in: SignedIn, shop: Company, query: str, there: str, gone: str
) -> None:
    client(shop)
    asked(shop)
    page = signed_in("olga").get(f"/history/?{query}").text
    assert there in page
    assert gone not in page


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ("first=yesterday", "f-first"),
        ("last=2026-13-01", "f-last"),
        ("version=x", "f-version"),
        ("client=C-99", "f-client"),
        ("client=a%20b", "f-client"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(signed_in: SignedIn, query: str, at: str) -> None:
    olga = signed_in("olga")
    answer = olga.get(f"/history/?{query}")
    assert answer.status_code == 422
    assert f'href="#{at}"' in answer.text
    assert olga.get(f"/history/history.csv?{query}").status_code in (404, 422)


def test_earlier_entries_are_on_further_pages(signed_in: SignedIn, shop: Company) -> None:
    for number in range(51):
        client(shop, f"N-{number}")
    olga = signed_in("olga")
    page = olga.get("/history/?who=everybody").text
    assert 'rel="next"' in page
    assert "N-0." not in page
    later = page.split('rel="next"')[0].rpartition('href="')[2].rstrip('" ').replace("&amp;", "&")
    assert "client N-0." in olga.get(later).text
    assert olga.get("/history/?before=x").status_code == 200


def test_what_is_shown_is_exported(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    asked(shop)
    answer = signed_in("olga").get("/history/history.csv?what=measure")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    [_, row] = csv.reader(StringIO(answer.data.decode("utf-8-sig")))
    assert row[3] == "measure.asked"
    assert row[5] == "A flood."
