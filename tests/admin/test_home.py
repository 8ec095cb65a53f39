"""The first page: what awaits each, the ladder in force, who holds what."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import update

from app.models import Job
from app.services import jobs
from app.services.authority import SYSTEM
from rules.document.strict_json import loads
from tests.admin.conftest import SignedIn
from tests.app.asking import EXAMPLE
from tests.app.company import NOW, Company
from tests.app.granting import asked, client
from tests.app.shelf import approved, scheduled
from tests.app.test_verification import busy


def test_what_awaits_somebody_leads_to_where_it_is_done(signed_in: SignedIn, shop: Company) -> None:
    client(shop)
    number = asked(shop)
    page = signed_in("paul").get("/").text
    assert f'<a href="/measures/{number}">Max asks for a hold on the tier held' in page
    assert "Nothing waits for you." in signed_in("max").get("/").text


def test_the_ladder_in_force_is_told_in_plain_words(signed_in: SignedIn) -> None:
    page = signed_in("max").get("/").text
    assert "By version 1 of the policy." in page
    assert "Revenue in the last 12 months is at least £20,000.00" in page
    assert "revenue_12m" not in page


def test_who_holds_what_is_a_picture_with_a_table_beside_it(
    signed_in: SignedIn, shop: Company
) -> None:
    busy(shop)
    page = signed_in("max").get("/").text
    assert ">How many clients are served by which tier</title>" in page
    assert '<a href="/clients/?tier=silver">Silver</a></td><td class="number">2</td>' in page


def test_administrators_see_no_clients(signed_in: SignedIn, shop: Company) -> None:
    busy(shop)
    page = signed_in("anna").get("/").text
    assert "Who holds what" not in page
    assert "The ladder in force" in page


def test_what_is_scheduled_is_told_with_its_time(signed_in: SignedIn, shop: Company) -> None:
    number = approved(shop, loads(EXAMPLE.read_bytes()))  # type: ignore[arg-type]  # an object
    scheduled(shop, number, timedelta(days=1))
    page = signed_in("max").get("/").text
    assert f"Version {number}" in page
    assert "comes into force on 2 July 2026, 13:00" in page


def test_a_job_that_was_given_up_leads_to_its_record(signed_in: SignedIn, shop: Company) -> None:
    with shop.merit.acting(SYSTEM) as act:
        jobs.add(act, "review", "review:2026-07-01", NOW)
        act.session.execute(update(Job).values(state="failed"))
    anna = signed_in("anna")
    page = anna.get("/").text
    found = re.search(r'href="([^"]+)">The service gave up on the review', page)
    assert found is not None
    assert anna.get(found[1].replace("&amp;", "&")).status_code == 200
