"""Jobs: named once, leased to one worker at a time, written only under their fence."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Event

import pytest
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.models import Attempts, BrowserSession, HistoryEntry, Job, Key, Repeatable
from app.services import browsers, housekeeping, jobs
from app.services.authority import SYSTEM
from app.services.browsers import Kept
from app.services.errors import NotActionable, NotThere
from app.services.history import Act, entries
from app.services.jobs import Batch, Lease, LeaseLost, Left, Step
from app.services.limits import count_failure
from rules.messages import Message
from tests.app.asking import answered, problem, served
from tests.app.company import NOW, Company

MINUTE = timedelta(minutes=1)


def add(company: Company, key: str = "count:1", due_at: datetime = NOW) -> bool:
    with company.merit.acting(SYSTEM) as act:
        return jobs.add(act, "count", key, due_at)


def claim(company: Company, worker: str = "one") -> Lease | None:
    return jobs.claim(company.merit.database, worker, company.clock(), ["count"])


def claimed(company: Company, worker: str = "one") -> Lease:
    lease = claim(company, worker)
    assert lease is not None
    return lease


def only_job(company: Company) -> Job:
    with company.merit.database.reading() as session:
        [job] = jobs.jobs(session)
    return job


def carry_out(company: Company, lease: Lease, batch: Batch, stop: Event | None = None) -> Left:
    merit = company.merit
    return jobs.carry_out(merit.database, merit.clock, lease, batch, stop or Event())


def counting(to: int, then: Callable[[int], None] = lambda _: None) -> Batch:
    """Return a job that counts to a number, one a batch, and tries something at each."""

    def batch(act: Act, lease: Lease) -> Step:
        number = (lease.cursor or 0) + 1
        count_failure(act.session, "counted", act.at)
        then(number)
        return Step(number, number, to, {"counted": number}, is_last=number == to)

    return batch


def counted(company: Company) -> int:
    """Return how often a batch of :func:`counting` was carried out and not undone."""
    with company.merit.database.reading() as session:
        return session.execute(select(Attempts.number)).scalar() or 0


def verbs(company: Company) -> list[str]:
    with company.merit.database.reading() as session:
        found = session.execute(
            select(HistoryEntry.verb)
            .where(HistoryEntry.object.like("job:%"))
            .order_by(HistoryEntry.sequence)
        )
        return list(found.scalars())


# -- which job --------------------------------------------------------------------------------


def test_a_job_is_named_once(company: Company) -> None:
    assert add(company)
    assert not add(company, due_at=NOW + MINUTE)

    assert only_job(company).due_at == NOW


def test_two_who_add_the_same_job_at_once_add_one(company: Company) -> None:
    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda _: add(company), range(16)))

    assert added.count(True) == 1
    assert only_job(company).key == "count:1"


def test_what_is_not_due_yet_is_not_begun(company: Company) -> None:
    add(company, due_at=NOW + MINUTE)

    assert claim(company) is None

    company.clock.advance(minutes=1)
    assert claimed(company).key == "count:1"


def test_the_job_due_longest_is_begun_first(company: Company) -> None:
    add(company, "count:later", NOW - MINUTE)
    add(company, "count:sooner", NOW - 2 * MINUTE)

    assert [claimed(company).key, claimed(company).key] == ["count:sooner", "count:later"]
    assert claim(company) is None


def test_a_worker_is_given_only_what_it_can_do(company: Company) -> None:
    add(company)

    assert jobs.claim(company.merit.database, "one", NOW, ["paint"]) is None


def test_workers_at_once_are_never_given_the_same_job(company: Company) -> None:
    for number in range(20):
        add(company, f"count:{number}")

    def drain(worker: int) -> list[str]:
        taken = []
        while lease := claim(company, str(worker)):
            taken.append(lease.key)
        return taken

    with ThreadPoolExecutor(4) as threads:
        taken = [key for each in threads.map(drain, range(4)) for key in each]

    assert sorted(taken) == sorted(f"count:{number}" for number in range(20))


# -- leases and fences ------------------------------------------------------------------------


def test_a_job_is_taken_over_only_when_its_lease_has_run_out(company: Company) -> None:
    add(company)
    first = claimed(company)

    company.clock.advance(seconds=59)
    assert claim(company, "two") is None

    company.clock.advance(seconds=1)
    second = claimed(company, "two")
    assert (first.fence, second.fence) == (1, 2)
    assert only_job(company).worker == "two"


def test_each_batch_renews_the_lease(company: Company) -> None:
    add(company)
    lease = claimed(company)
    for _ in range(3):
        company.clock.advance(seconds=50)
        with company.merit.acting(SYSTEM) as act:
            jobs.renew(act, lease)
            lease = jobs.advance(act, lease, Step(1, 1, 3, {}, is_last=False))

        assert claim(company, "two") is None


Write = Callable[[Act, Lease], object]


@pytest.mark.parametrize(
    "write",
    [
        jobs.renew,
        jobs.finish,
        jobs.release,
        lambda act, lease: jobs.advance(act, lease, Step(1, 1, 1, {}, is_last=True)),
        lambda act, lease: jobs.fail(act, lease, ValueError()),
    ],
    ids=["renew", "finish", "release", "advance", "fail"],
)
def test_a_worker_taken_for_dead_writes_nothing_more(company: Company, write: Write) -> None:
    add(company)
    silent = claimed(company)
    company.clock.advance(minutes=1)
    claimed(company, "two")
    before = verbs(company)

    def work() -> None:
        with company.merit.acting(SYSTEM) as act:
            count_failure(act.session, "counted", act.at)
            write(act, silent)

    with pytest.raises(LeaseLost):
        work()

    job = only_job(company)
    assert (job.state, job.worker, job.done, job.fence) == ("running", "two", 0, 2)
    assert (counted(company), verbs(company)) == (0, before)


def test_a_job_that_is_over_is_not_written_to_again(company: Company) -> None:
    add(company)
    lease = claimed(company)
    carry_out(company, lease, counting(1))

    with pytest.raises(LeaseLost), company.merit.acting(SYSTEM) as act:
        jobs.renew(act, lease)


def test_what_a_batch_did_is_undone_with_it_when_the_lease_is_lost(company: Company) -> None:
    add(company)
    silent = claimed(company)
    stop = Event()
    stop.set()
    carry_out(company, silent, counting(3), stop)
    other = claimed(company, "two")

    with pytest.raises(LeaseLost):
        carry_out(company, silent, counting(3))

    assert counted(company) == 1
    assert carry_out(company, other, counting(3)) == Left("finished")
    assert counted(company) == 3


def test_a_job_whose_batch_is_open_is_taken_over_only_when_the_batch_is_over(
    company: Company,
) -> None:
    add(company)
    lease = claimed(company)
    later = NOW + timedelta(seconds=61)
    database = company.merit.database
    with ThreadPoolExecutor(1) as threads, database.writing() as session:
        jobs.renew(Act(session, SYSTEM, NOW + timedelta(seconds=30)), lease)
        other = threads.submit(jobs.claim, database, "two", later, ["count"])
        if not database.is_sqlite:
            assert other.result(60) is None  # it does not even wait

    assert other.result(60) is None


def test_a_job_given_back_is_gone_on_with_where_it_was(company: Company) -> None:
    add(company)
    stop = Event()
    stop.set()

    assert carry_out(company, claimed(company), counting(3), stop) == Left("waiting")
    assert (only_job(company).state, only_job(company).cursor) == ("waiting", 1)

    assert carry_out(company, claimed(company, "two"), counting(3)) == Left("finished")
    assert counted(company) == 3


# -- ends, failures, and what is seen of them ------------------------------------------------


def test_beginning_and_end_are_in_the_history_with_the_report_but_not_each_batch(
    company: Company,
) -> None:
    add(company)

    carry_out(company, claimed(company), counting(4))

    assert verbs(company) == ["job.started", "job.finished"]
    with company.merit.database.reading() as session:
        [entry] = entries(session, 0, 10, {"verb": "job.finished"})
    assert entry["actor"] == "system"
    assert entry["details"] == {"key": "count:1", "fence": 1, "report": {"counted": 4}}
    job = only_job(company)
    assert (job.state, job.done, job.total, job.finished_at) == ("finished", 4, 4, NOW)


def test_what_is_to_follow_a_batch_follows_its_commit(company: Company) -> None:
    add(company)
    seen = []

    def batch(act: Act, lease: Lease) -> Step:
        done = counting(1)(act, lease)
        return replace(done, committed=lambda: seen.append(counted(company)))

    carry_out(company, claimed(company), batch)

    assert seen == [1]


class Broken(Exception):
    def __init__(self) -> None:
        self.message = Message("It is broken.")


def broken(number: int) -> None:
    if number == 2:
        raise Broken


def test_a_job_that_fails_is_tried_again_later_and_later_and_then_given_up(
    company: Company,
) -> None:
    add(company)
    for minutes in (1, 5, 15, 60):
        left = carry_out(company, claimed(company), counting(3, broken))
        assert (left.state, type(left.error)) == ("waiting", Broken)
        company.clock.advance(minutes=minutes, seconds=-1)
        assert claim(company) is None
        company.clock.advance(seconds=1)

    assert carry_out(company, claimed(company), counting(3, broken)).state == "failed"

    company.clock.advance(days=30)
    assert claim(company) is None
    job = only_job(company)
    assert (job.state, job.failures, job.error, job.done) == ("failed", 5, "It is broken.", 1)
    assert counted(company) == 1
    assert verbs(company) == ["job.started", "job.failed"] * 5


def test_of_a_strangers_error_only_the_kind_is_kept(company: Company) -> None:
    add(company)

    def names_a_client(_number: int) -> None:
        raise ValueError("C-17")

    carry_out(company, claimed(company), counting(1, names_a_client))

    assert only_job(company).error == "ValueError"


def test_a_job_given_up_may_be_tried_again(company: Company) -> None:
    add(company)
    with company.merit.database.writing() as session:
        session.execute(update(Job).values(state="failed", failures=5, error="It is broken."))
    company.clock.advance(days=1)

    with company.merit.acting(SYSTEM) as act:
        jobs.retry(act, only_job(company).id)

    assert carry_out(company, claimed(company), counting(3)) == Left("finished")
    assert only_job(company).error is None
    assert verbs(company) == ["job.retried", "job.started", "job.finished"]


def test_only_what_failed_is_tried_again(company: Company) -> None:
    add(company)

    with pytest.raises(NotActionable), company.merit.acting(SYSTEM) as act:
        jobs.retry(act, only_job(company).id)
    with pytest.raises(NotThere), company.merit.acting(SYSTEM) as act:
        jobs.retry(act, 4711)


# -- readyz ------------------------------------------------------------------------------------


def is_ready(company: Company) -> bool:
    response = served(company).test_client().get("/readyz")
    if response.status_code == 200:
        answered(response)
        return True
    assert (
        "A job has failed or been waiting since 2026-07-01T12:00+00:00"
        in (problem(response, 503)["detail"])
    )
    return False


def test_a_job_that_nobody_begins_shows_after_a_quarter_of_an_hour(company: Company) -> None:
    add(company)
    company.clock.advance(minutes=15)
    assert is_ready(company)

    company.clock.advance(seconds=1)
    assert not is_ready(company)


def test_a_long_job_is_no_stalled_one_while_somebody_works_on_it(company: Company) -> None:
    add(company)
    company.clock.advance(minutes=20)
    lease = claimed(company)
    assert is_ready(company)

    company.clock.advance(minutes=16)  # a minute of lease, then nobody
    assert is_ready(company)
    company.clock.advance(seconds=1)
    assert not is_ready(company)

    with company.merit.acting(SYSTEM) as act:
        jobs.renew(act, lease)
    assert is_ready(company)


def test_a_job_that_a_worker_gave_back_has_a_quarter_of_an_hour_to_be_taken(
    company: Company,
) -> None:
    add(company)
    company.clock.advance(minutes=20)
    lease = claimed(company)
    with company.merit.acting(SYSTEM) as act:
        jobs.release(act, lease)

    company.clock.advance(minutes=15)
    assert is_ready(company)
    company.clock.advance(seconds=1)
    with company.merit.database.reading() as session:
        assert jobs.stalled_since(session, company.clock()) == NOW + timedelta(minutes=20)


def test_a_job_given_up_shows_until_it_is_done(company: Company) -> None:
    add(company)
    with company.merit.database.writing() as session:
        session.execute(update(Job).values(state="failed", failures=5))
    assert not is_ready(company)

    with company.merit.acting(SYSTEM) as act:
        jobs.retry(act, only_job(company).id)
    assert is_ready(company)

    carry_out(company, claimed(company), counting(1))
    company.clock.advance(days=1)
    assert is_ready(company)


# -- the jobs of a day ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "time_zone", "at"),
    [
        ("2026-07-01", "Europe/London", "2026-06-30T23:05"),
        ("2026-03-29", "Europe/London", "2026-03-29T00:05"),
        ("2026-03-30", "Europe/London", "2026-03-29T23:05"),
        ("2026-04-24", "Africa/Cairo", "2026-04-23T22:05"),  # 0:00 to 1:00 is left out
        ("2026-11-01", "America/Havana", "2026-11-01T04:05"),  # 0:00 to 1:00 comes twice
        ("2017-10-15", "America/Sao_Paulo", "2017-10-15T03:05"),  # 0:00 to 1:00 is left out
        ("2018-02-18", "America/Sao_Paulo", "2018-02-18T03:05"),  # midnight comes twice
    ],
)
def test_a_days_jobs_are_due_on_that_day_however_the_clocks_are_set(
    day: str, time_zone: str, at: str
) -> None:
    due = jobs.due_on(date.fromisoformat(day), time_zone)

    assert due == datetime.fromisoformat(at).replace(tzinfo=UTC)


def test_todays_and_tomorrows_jobs_are_planned_once(company: Company) -> None:
    for _ in range(2):
        with company.merit.acting(SYSTEM) as act:
            jobs.plan(act, ["count"], "Europe/London")

    with company.merit.database.reading() as session:
        planned = [(each.key, each.due_at) for each in jobs.jobs(session)]
    assert planned == [
        ("count:2026-07-02", datetime(2026, 7, 1, 23, 5, tzinfo=UTC)),
        ("count:2026-07-01", NOW),
    ]


def test_a_job_planned_hours_after_it_was_due_has_not_been_waiting_since(
    company: Company,
) -> None:
    with company.merit.acting(SYSTEM) as act:
        jobs.plan(act, ["count"], "Europe/London")

    assert is_ready(company)


# -- housekeeping ------------------------------------------------------------------------------


def keep_answers(session: Session, key: str, number: int, at: datetime) -> None:
    session.add_all(
        Repeatable(
            key_id=key,
            route="/",
            idempotency_key=f"{at}{each}",
            digest=b"",
            token="",
            started_at=at + each * timedelta(milliseconds=1),
        )
        for each in range(number)
    )


def test_what_is_kept_for_a_while_is_deleted_when_that_is_over(company: Company) -> None:
    with company.merit.database.writing() as session:
        key = session.execute(select(Key.id)).scalar_one()
        keep_answers(session, key, 2500, NOW - timedelta(days=2))
        keep_answers(session, key, 3, NOW - timedelta(hours=23))
        count_failure(session, "old", NOW - timedelta(minutes=6))
        count_failure(session, "new", NOW - timedelta(minutes=4))
        browsers.keep(session, "old", Kept("{}", None, False), NOW - timedelta(minutes=61))
        browsers.keep(session, "new", Kept("{}", None, False), NOW - timedelta(minutes=59))
    with company.merit.acting(SYSTEM) as act:
        jobs.add(act, "housekeeping", "housekeeping:2026-07-01", NOW)
    lease = jobs.claim(company.merit.database, "one", NOW, ["housekeeping"])
    assert lease is not None

    assert carry_out(company, lease, housekeeping.tidy) == Left("finished")

    assert only_job(company).report == {
        "answers": 2500,
        "attempts": 1,
        "browsers": 1,
        "messages": 0,
    }
    with company.merit.database.reading() as session:
        assert session.execute(select(func.count()).select_from(Repeatable)).scalar() == 3
        assert list(session.execute(select(Attempts.place)).scalars()) == ["new"]
        assert browsers.find(session, "new", NOW) is not None
        assert session.execute(select(func.count()).select_from(BrowserSession)).scalar() == 1


# -- commands ----------------------------------------------------------------------------------


def commands(company: Company) -> FlaskCliRunner:
    return served(company).test_cli_runner()


def test_jobs_are_listed_with_state_progress_and_error(company: Company) -> None:
    add(company)
    carry_out(company, claimed(company), counting(3, broken))
    add(company, "count:2", NOW + timedelta(days=1))

    result = commands(company).invoke(args=["jobs", "list"])

    job = only_first(company)
    assert [line.split() for line in result.output.splitlines()] == [
        f"{job + 1} count:2 waiting 2026-07-02 12:00 UTC 0".split(),
        f"{job} count:1 waiting 2026-07-01 12:01 UTC 1/3 It is broken.".split(),
    ]


def only_first(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.min(Job.id))).scalar_one()


def test_a_failed_job_is_tried_again_by_command(company: Company) -> None:
    add(company)
    carry_out(company, claimed(company), counting(3, broken))
    name = str(only_job(company).id)

    result = commands(company).invoke(args=["jobs", "retry", name])
    again = commands(company).invoke(args=["jobs", "retry", "4711"])

    assert (result.exit_code, result.output) == (0, f"Job {name} is due now.\n")
    assert claimed(company).cursor == 1
    assert (again.exit_code, again.output) == (1, "Error: There is no job 4711.\n")
