"""``policy effect``: what a version would do, worked out here and printed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from app.models import Client, Job
from app.services import effect
from app.services.authority import SYSTEM, Actor
from app.services.clients import Stated, put_client
from app.services.standings import decide
from app.words import Words
from tests.app.commands import Run, commands_of, refused, said
from tests.app.company import Company
from tests.app.shelf import document, drafted

TODAY = date(2026, 7, 1)


@pytest.fixture
def company(new_company: Company) -> Company:
    """A company with silver from 1,000 on, and three clients."""
    new_company.publish(document(1000))
    for spent in (500, 1500, 2500):
        with new_company.merit.acting(Actor("key:till")) as act:
            put_client(act, f"C-{spent}", Stated(attributes={"spend": spent}), TODAY)
    with new_company.merit.acting(SYSTEM) as act:
        ids = list(act.session.execute(select(Client.id)).scalars())
        decide(act, new_company.merit.rulebook, ids, TODAY, Words())
    return new_company


@pytest.fixture
def run(company: Company, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_of(company, monkeypatch)


def test_it_prints_who_would_move_where(company: Company, run: Run) -> None:
    number = drafted(company, document(2000))

    result = run("policy", "effect", number, by="edith")

    assert result.exit_code == 0, result.output
    first, *lines = result.stdout.splitlines()
    assert first == "2026-07-01: 1 of 3 clients would move."
    assert [line.split() for line in lines] == [
        ["base", "base", "1", "0", "0", "0", "0", "500"],
        ["silver", "base", "1", "1", "0", "0", "0", "1500"],
        ["silver", "silver", "1", "0", "0", "0", "0", "2500"],
    ]


def test_the_names_go_to_a_file(company: Company, run: Run, tmp_path: Path) -> None:
    number = drafted(company, document(2000))

    result = run("policy", "effect", number, "--names", tmp_path / "names.csv", by="edith")

    assert result.exit_code == 0, result.output
    assert (tmp_path / "names.csv").read_text("utf-8-sig").splitlines()[1:] == [
        "C-1500,,silver,base,at_once,no,1500"
    ]


def test_another_day_is_told(company: Company, run: Run) -> None:
    number = drafted(company, document(2000))

    result = run("policy", "effect", number, "--date", "2026-08-01", by="edith")

    assert result.stdout.splitlines()[0].startswith("2026-08-01: 1 of 3")


def test_what_is_refused_is_said(company: Company, run: Run) -> None:
    number = drafted(company, document(2000))

    refused(run("policy", "effect", number, "--date", "2026-06-01", by="edith"), "before today")
    refused(run("policy", "effect", number, "--metric", "x", by="edith"), "must be one of spend")
    refused(run("policy", "effect", number, by="max"), "takes the role editor or approver")
    refused(run("policy", "effect", 99, by="edith"), "no version 99")


def test_a_worker_works_it_out(company: Company, run: Run) -> None:
    number = drafted(company, document(2000))
    with company.merit.acting(company.actor("edith")) as act:
        begun = effect.begin(act, number)

    said(run("worker", "--once"))

    with company.merit.database.reading() as session:
        assert effect.estimate(session, begun).is_finished
        kinds = session.execute(select(Job.kind)).scalars().all()
    assert kinds.count(effect.KIND) == 1
