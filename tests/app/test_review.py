"""The review: everybody decided once, in batches, and gone on with after a crash."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from app.models import Client, Decision, HistoryEntry, Job, PolicyVersion, Standing, Subject
from app.services import jobs, review, standings
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM
from app.services.clients import state
from app.services.jobs import Batch, Left
from app.services.standings import decide
from app.words import Words
from rules.document.strict_json import loads
from tests.app.asking import EXAMPLE, ROOT, answered, counted, served
from tests.app.company import NOW, Company, branch, close

TODAY = date(2026, 7, 1)
NUMBER = 2 * review.BATCH + 7
"""Clients of the company: two batches and some more."""


@dataclass(frozen=True)
class _Answer:
    """What is told of a client, but for the random name of the decision."""

    client: int
    tier: str
    since: date
    as_of: date
    next_due: date | None
    said: dict[str, Any]


@pytest.fixture
def company(company: Company) -> Company:
    """A company with clients, of whom each has bought for more than the one before."""
    sold = [
        NewActivity("till", f"{number}-{sale}", f"C-{number}", "sale", TODAY, amount=number * 900)
        for number in range(NUMBER)
        for sale in range(3)
    ]
    with company.merit.acting(SYSTEM) as act:
        record_activities(act, sold, add_missing=True)
    return company


def evaluate(company: Company) -> Batch:
    return partial(review.review, company.merit.rulebook, company.merit.fixed)


def claimed(company: Company, day: date = TODAY, worker: str = "one") -> jobs.Lease:
    """Take the review of a day, which is planned if it is not yet."""
    with company.merit.acting(SYSTEM) as act:
        jobs.add(act, "review", f"review:{day}", act.at)
    lease = jobs.claim(company.merit.database, worker, company.clock(), ["review"])
    assert lease is not None
    return lease


def carry_out(company: Company, lease: jobs.Lease, batch: Batch | None = None) -> Left:
    merit = company.merit
    return jobs.carry_out(merit.database, merit.clock, lease, batch or evaluate(company), Event())


def report_of(company: Company, day: date = TODAY) -> Any:
    with company.merit.database.reading() as session:
        return session.execute(select(Job.report).where(Job.key == f"review:{day}")).scalar_one()


def answers(company: Company) -> list[_Answer]:
    with company.merit.database.reading() as session:
        rows = session.execute(select(Standing).order_by(Standing.client_id)).scalars()
        found = []
        for each in rows:
            said = loads(each.answer)
            assert isinstance(said, dict)
            assert said.pop("decision") == each.decision_id
            found.append(
                _Answer(each.client_id, each.tier, each.since, each.as_of, each.next_due, said)
            )
    return found


def decisions(company: Company) -> int:
    """Return how many decisions there are; the history has an entry of each."""
    with company.merit.database.reading() as session:
        rows = session.execute(select(func.count()).select_from(Decision)).scalar_one()
        entries = session.execute(
            select(func.count()).where(HistoryEntry.verb == "client.decided")
        ).scalar_one()
    assert rows == entries
    return rows


def test_everybody_is_decided_about_and_the_report_says_how_it_came_out(company: Company) -> None:
    assert carry_out(company, claimed(company)) == Left("finished")

    report = report_of(company)
    tiers = report.pop("tiers")
    assert report == {
        "clients": NUMBER,
        "decisions": NUMBER,
        "already_good": 0,
        "failed": 0,
        "subjects": [],
        "events": {"promoted": tiers["silver"]},
    }
    assert set(tiers) == {"standard", "silver"}
    assert sum(tiers.values()) == NUMBER
    assert decisions(company) == NUMBER


def test_it_comes_out_as_if_each_had_been_decided_about_alone(
    company: Company, tmp_path: Path
) -> None:
    close(company)
    with branch(company, tmp_path) as other:
        with other.merit.database.reading() as session:
            ids = list(session.execute(select(Client.id)).scalars())
        for each in ids:
            with other.merit.acting(SYSTEM) as act:
                decide(act, other.merit.rulebook, [each], TODAY, Words())
        one_by_one = answers(other)

    carry_out(company, claimed(company))

    assert answers(company) == one_by_one


def test_nobody_is_decided_about_again_by_the_same_policy_date_and_facts(company: Company) -> None:
    carry_out(company, claimed(company))
    with company.merit.acting(SYSTEM) as act:
        session = act.session
        first = session.execute(select(func.min(Client.id))).scalar_one()
        state(session, first, TODAY, {"potential": 5})
        session.execute(
            update(Client).where(Client.id == first).values(facts_version=Client.facts_version + 1)
        )
        session.execute(delete(Job))

    carry_out(company, claimed(company))

    report = report_of(company)
    assert (report["decisions"], report["already_good"]) == (1, NUMBER - 1)
    assert sum(report["tiers"].values()) == NUMBER
    assert decisions(company) == NUMBER + 1


def test_each_date_and_each_policy_is_decided_for_anew(company: Company) -> None:
    carry_out(company, claimed(company))
    company.clock.advance(days=1)
    tomorrow = date(2026, 7, 2)

    carry_out(company, claimed(company, tomorrow))

    assert report_of(company, tomorrow)["decisions"] == NUMBER
    document: Any = loads(EXAMPLE.read_bytes())
    company.publish({**document, "name": {"en": "Another", "uk": "Інша"}})
    with company.merit.acting(SYSTEM) as act:
        act.session.execute(delete(Job))
    carry_out(company, claimed(company, tomorrow))
    assert report_of(company, tomorrow)["decisions"] == NUMBER


def test_decisions_are_counted_when_they_cannot_be_undone_any_more(company: Company) -> None:
    app = served(company)
    with company.merit.database.reading() as session:
        digest = company.merit.rulebook.in_force(session).policy.digest[:12]
    before = counted(app, "merit_evaluations_total", policy=digest)

    carry_out(company, claimed(company))

    assert counted(app, "merit_evaluations_total", policy=digest) == before + NUMBER


def test_of_whom_no_tier_can_be_named_the_report_has_subjects_and_no_references(
    company: Company,
) -> None:
    odd = [NewActivity("till", str(n), f"C-{n}", "sale", TODAY, amount=2**53) for n in range(25)]
    with company.merit.acting(SYSTEM) as act:
        record_activities(act, odd)

    carry_out(company, claimed(company))

    report = report_of(company)
    assert (report["decisions"], report["failed"]) == (NUMBER - 25, 25)
    with company.merit.database.reading() as session:
        first = session.execute(
            select(Client.subject)
            .where(Client.reference.in_([each.client for each in odd]))
            .order_by(Client.id)
            .limit(20)
        )
        assert report["subjects"] == list(first.scalars())


def test_who_has_been_erased_is_not_decided_about(company: Company) -> None:
    with company.merit.database.writing() as session:
        erased = session.execute(select(Client.subject).where(Client.reference == "C-3")).scalar()
        session.execute(delete(Subject).where(Subject.id == erased))

    carry_out(company, claimed(company))

    report = report_of(company)
    assert (report["clients"], report["failed"]) == (NUMBER - 1, 0)


def test_a_date_that_is_over_is_reviewed_on_its_own_facts(company: Company) -> None:
    company.clock.advance(days=1)
    with company.merit.acting(SYSTEM) as act:
        sold = [
            NewActivity("till", f"late-{n}", "C-0", "sale", date(2026, 7, 2), amount=10**6)
            for n in range(4)
        ]
        record_activities(act, sold)

    carry_out(company, claimed(company))
    assert answers(company)[0].tier == "standard"

    carry_out(company, claimed(company, date(2026, 7, 2)))
    assert answers(company)[0].tier != "standard"


def test_dates_missed_are_named_from_the_last_review_on(company: Company) -> None:
    carry_out(company, claimed(company))
    company.clock.advance(days=4)

    with company.merit.acting(SYSTEM) as act:
        assert review.missed(act, TODAY) == []
        assert review.missed(act, date(2026, 7, 5)) == [date(2026, 7, day) for day in (2, 3, 4)]
        assert len(review.missed(act, date(2027, 7, 1))) == standings.LONGEST_GAP


def test_missed_dates_are_caught_up_with_in_order_whoever_comes_first(
    company: Company, tmp_path: Path
) -> None:
    carry_out(company, claimed(company))
    company.clock.advance(days=4)
    close(company)
    with branch(company, tmp_path) as other:
        for day in range(2, 6):
            carry_out(other, claimed(other, date(2026, 7, day)))
        night_by_night = [replace(each, said={}) for each in answers(other)]
        made = decisions(other)

    carry_out(company, claimed(company, date(2026, 7, 5)))

    assert [replace(each, said={}) for each in answers(company)] == night_by_night
    assert decisions(company) == made == 5 * NUMBER
    with company.merit.database.reading() as session:
        days = (
            session.execute(
                select(Decision.day)
                .join(Client, Client.id == Decision.client_id)
                .join(HistoryEntry, HistoryEntry.object == "decision:" + Decision.id)
                .where(Client.reference == "C-0")
                .order_by(HistoryEntry.sequence)
            )
            .scalars()
            .all()
        )
    assert days == [date(2026, 7, day) for day in range(1, 6)]
    carry_out(company, claimed(company, date(2026, 7, 3)))
    assert report_of(company, date(2026, 7, 3))["already_good"] == NUMBER


def test_without_a_policy_there_is_nothing_to_decide(company: Company) -> None:
    with company.merit.database.writing() as session:
        session.execute(update(PolicyVersion).values(state="superseded"))

    assert carry_out(company, claimed(company)) == Left("finished")

    assert report_of(company)["ended"] == "No policy is in force."


def test_an_open_batch_makes_nobody_wait_who_asks(company: Company) -> None:
    client = served(company).test_client()
    carry_out(company, claimed(company))
    ready = answered(client.get("/api/v1/clients/C-1/standing"))
    with company.merit.acting(SYSTEM) as act:
        act.session.execute(delete(Job))
        others = Client.reference != "C-1"
        act.session.execute(
            update(Client).where(others).values(facts_version=Client.facts_version + 1)
        )
    lease = claimed(company)

    with company.merit.acting(SYSTEM) as act:
        assert evaluate(company)(act, lease).report["decisions"] >= review.BATCH - 1
        assert answered(client.get("/api/v1/clients/C-1/standing")) == ready


def test_two_evaluations_side_by_side_decide_about_each_client_once(company: Company) -> None:
    first = claimed(company)
    with company.merit.acting(SYSTEM) as act:
        jobs.add(act, "beside", "beside", act.at)
    database = company.merit.database
    second = jobs.claim(database, "two", company.clock(), ["beside"])
    assert second is not None
    beside = replace(first, id=second.id, fence=second.fence)  # the same date under another key

    with ThreadPoolExecutor(2) as threads:
        ends = [threads.submit(carry_out, company, lease) for lease in (first, beside)]
        assert [each.result(120) for each in ends] == [Left("finished")] * 2

    assert decisions(company) == NUMBER


_KILLED = """
import sys
from datetime import datetime
from functools import partial
from threading import Event

from app.config import Config
from app.merit import Merit
from app.services import jobs, review, standings

database, secret, now, batches = sys.argv[1:]
merit = Merit(Config(database, None, secret), lambda: datetime.fromisoformat(now))
left = int(batches)


def batch(act, lease):
    global left
    step = review.review(merit.rulebook, merit.fixed, act, lease)
    left -= 1
    if left < 0:
        print("in the middle", flush=True)
        sys.stdin.read()
    return step


lease = jobs.claim(merit.database, "killed", merit.clock(), ["review"])
jobs.carry_out(merit.database, merit.clock, lease, batch, Event())
"""


def test_a_worker_killed_in_the_middle_is_followed_by_another_to_the_same_end(
    company: Company, tmp_path: Path
) -> None:
    close(company)
    with branch(company, tmp_path) as other:
        carry_out(other, claimed(other))
        uninterrupted, report = answers(other), report_of(other)
    with company.merit.acting(SYSTEM) as act:
        jobs.add(act, "review", f"review:{TODAY}", NOW)
    config = company.merit.config
    with subprocess.Popen(
        [
            *(sys.executable, "-c", _KILLED, config.database, str(config.secret_file)),
            *(NOW.isoformat(), "1"),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"in the middle\n"
        killed.kill()

    assert decisions(company) == review.BATCH
    company.clock.advance(minutes=1)
    lease = claimed(company, worker="two")
    assert (lease.fence, lease.done, lease.total) == (2, review.BATCH, NUMBER)
    assert carry_out(company, lease) == Left("finished")

    assert answers(company) == uninterrupted
    assert report_of(company) == report
    assert decisions(company) == NUMBER
