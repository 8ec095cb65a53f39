"""What awaits each of those who work here."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from app.models import Job
from app.services import jobs, notices
from app.services.agenda import asked_measures, awaiting, planned
from app.services.authority import SYSTEM, Role
from app.services.errors import NotAllowed
from app.services.people import ask_role
from app.words import Words
from tests.app.company import NOW, Company, email
from tests.app.correspondence import issued
from tests.app.granting import TODAY, asked, client
from tests.app.shelf import (
    approved,
    document,
    drafted,
    held,
    reviewed,
    saved,
    scheduled,
    submitted,
)


def tasks(company: Company, by: str) -> list[str]:
    with company.merit.database.reading() as session:
        found = awaiting(session, company.merit.rulebook, company.actor(by), TODAY)
        return [Words().sentence(each.sentence) for each in found]


def test_a_draft_awaits_its_authors(new_company: Company) -> None:
    number = drafted(new_company)
    assert tasks(new_company, "edith") == [f"Your version {number} is a draft."]
    assert tasks(new_company, "emil") == []
    saved(new_company, number, document(7), 1, by="emil")
    assert tasks(new_company, "emil") == [f"Your version {number} is a draft."]


def test_what_was_sent_back_says_so(new_company: Company) -> None:
    number = submitted(new_company)
    assert tasks(new_company, "edith") == []
    reviewed(new_company, number, "changes_requested")
    assert tasks(new_company, "edith") == [f"Changes were asked for to your version {number}."]


def test_a_review_awaits_approvers_who_wrote_none_of_it(new_company: Company) -> None:
    number = submitted(new_company)
    waits = f"Version {number} waits for a review."
    assert tasks(new_company, "paul") == tasks(new_company, "petra") == [waits]
    with new_company.merit.acting(new_company.actor("anna")) as act:
        ask_role(act, email("edith"), Role.APPROVER, "Needed.")
    assert tasks(new_company, "edith") == []
    assert tasks(new_company, "ben") == ["The role approver is asked for Edith."]
    assert tasks(new_company, "anna") == []


def test_what_is_approved_and_what_is_held_awaits_approvers(new_company: Company) -> None:
    first = approved(new_company)
    assert tasks(new_company, "paul") == [f"Version {first} is approved and not scheduled."]
    held(new_company, first)
    waits = [f"Version {first} was due and is held back: it does not pass any more."]
    assert tasks(new_company, "paul") == tasks(new_company, "edith") == waits


def test_a_measure_awaits_approvers_who_did_not_ask(company: Company) -> None:
    client(company)
    asked(company)
    waits = ["Max asks for a hold on the tier held for client C-17."]
    assert tasks(company, "paul") == waits
    assert tasks(company, "max") == []
    with company.merit.database.reading() as session:
        [one] = asked_measures(session, company.merit.rulebook, company.actor("max"), TODAY)
        assert not one.can - {"withdraw"}
        with pytest.raises(NotAllowed):
            asked_measures(session, company.merit.rulebook, company.actor("anna"), TODAY)


def test_letters_await_managers(company: Company) -> None:
    assert tasks(company, "max") == []
    client(company)
    issued(company)
    with company.merit.database.reading() as session:
        number = len(notices.waiting(session))
    assert tasks(company, "max") == [f"Letters to clients wait to be sent: {number}."]
    assert tasks(company, "paul") == []


def test_a_job_that_was_given_up_awaits_administrators(company: Company) -> None:
    with company.merit.acting(SYSTEM) as act:
        jobs.add(act, "review", "review:2026-07-01", NOW)
        act.session.execute(update(Job).values(state="failed"))
    waits = ["The service gave up on the review of all clients for July 1, 2026."]
    assert tasks(company, "anna") == waits
    assert tasks(company, "olga") == []


def test_what_is_scheduled_is_told_the_earliest_first(new_company: Company) -> None:
    numbers = [approved(new_company, document(limit)) for limit in (1, 2)]
    for number, days in zip(numbers, (2, 1), strict=True):
        scheduled(new_company, number, timedelta(days=days))
    with new_company.merit.database.reading() as session:
        assert [each.number for each in planned(session)] == numbers[::-1]
