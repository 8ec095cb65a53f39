"""Work that outlives a request: who works on it, how far it has come, and what becomes of it.

A job is leased to one worker at a time.  Taking it raises its ``fence``; whatever a worker writes
of it, it writes under the fence it was given, in the transaction of what it did.  A worker that
was taken for dead and is not writes nothing any more: what it did is undone with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from threading import Event
from types import MappingProxyType
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.clock import Clock
from app.database import Database
from app.models import Job
from app.services.authority import SYSTEM
from app.services.errors import NotActionable, NotThere
from app.services.history import Act, Entry, record
from rules.messages import Message
from rules.windows import DAY, local_day

State = Literal["waiting", "running", "finished", "failed"]

LEASE = timedelta(minutes=1)
"""How long a worker may be silent before another takes its job over."""

STALLED = timedelta(minutes=15)
"""How long after it was due a job may lie before ``/readyz`` tells."""

ASKED_FOR = ("effect",)
"""The kinds of jobs that somebody asked for and waits for."""

_DELAYS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
"""How long after each failure it is tried again; after one more it is not."""

_PAUSE = 0.05
"""Seconds between batches on SQLite, where only one can write at a time: the others' turn."""

_DUE = time(0, 5)
"""When the jobs of a day are due, on the clocks of the company."""


class LeaseLost(Exception):
    """The lease ran out and somebody else was given the job; nothing more may be written of it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A job in the hands of one worker, and how far it has come."""

    id: int
    kind: str
    key: str
    fence: int
    length: timedelta
    cursor: Any = None
    done: int = 0
    total: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def day(self) -> date:
        """The date that a job of :func:`plan` is for."""
        return date.fromisoformat(self.key.removeprefix(f"{self.kind}:"))


@dataclass(frozen=True, slots=True)
class Step:
    """What one batch of a job came to: how far it has come since its beginning.

    ``committed`` is called once the batch cannot be undone any more.
    """

    cursor: Any
    done: int
    total: int | None
    report: Mapping[str, Any]
    is_last: bool
    committed: Callable[[], None] = lambda: None


Batch = Callable[[Act, Lease], Step]
"""Does a job's next batch, in the transaction of the act."""


@dataclass(frozen=True, slots=True)
class Left:
    """In which state a worker left a job, and by what it failed, if it did."""

    state: State
    error: Exception | None = None


# -- jobs to do ------------------------------------------------------------------------------


def add(act: Act, kind: str, key: str, due_at: datetime) -> bool:
    """Add a job, unless there is one of this key; return whether there was none."""
    dialect = act.session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    values = {
        "kind": kind,
        "key": key,
        "state": "waiting",
        "due_at": due_at,
        "fence": 0,
        "failures": 0,
        "done": 0,
        "created_at": act.at,
    }
    statement = insert(Job).values(**values).on_conflict_do_nothing(index_elements=["key"])
    return act.session.execute(statement.returning(Job.id)).scalar() is not None


def plan(
    act: Act,
    kinds: Collection[str],
    time_zone: str,
    missed: Mapping[str, Sequence[date]] = MappingProxyType({}),
) -> None:
    """Add the jobs of today and tomorrow, of each kind, and those of dates that it missed.

    Tomorrow's are there so that it shows when nobody works any more.  One that comes too late is
    due now: nobody could have worked on it before.
    """
    today = local_day(act.at, ZoneInfo(time_zone))
    wanted = {
        f"{kind}:{day}": (kind, day)
        for kind in kinds
        for day in (*missed.get(kind, ()), today, today + DAY)
    }
    there = set(act.session.execute(select(Job.key).where(Job.key.in_(wanted))).scalars())
    for key, (kind, day) in wanted.items():
        if key not in there:
            add(act, kind, key, max(act.at, due_on(day, time_zone)))


def due_on(day: date, time_zone: str) -> datetime:
    """Return the instant at which the jobs of a day are due.

    Where the clocks jump over that time, it is as long after the jump as it would have been
    after midnight; where it comes twice, the first time.
    """
    return datetime.combine(day, _DUE, ZoneInfo(time_zone)).astimezone(UTC)


def retry(act: Act, job_id: int) -> None:
    """Have a job that failed tried again at once, as if it never had.

    :raises NotThere: if there is none of this id.
    :raises NotActionable: if it did not fail, or is being worked on.
    """
    changed = act.session.execute(
        update(Job)
        .where(Job.id == job_id, Job.state.in_(("waiting", "failed")), Job.failures > 0)
        .values(state="waiting", due_at=act.at, failures=0, finished_at=None)
    )
    if _one(changed):
        record(act, Entry("job.retried", f"job:{job_id}"))
    elif act.session.get(Job, job_id) is None:
        raise NotThere("There is no job %(id)d.", id=job_id)
    else:
        raise NotActionable("Job %(id)d has not failed, or is being worked on.", id=job_id)


def hurry(act: Act, key: str) -> None:
    """Make a job that waits for its time, or to be tried again, due now."""
    act.session.execute(
        update(Job)
        .where(Job.key == key, Job.state.in_(("waiting", "failed")))
        .values(state="waiting", due_at=act.at, failures=0, finished_at=None)
    )


def jobs(session: Session) -> Sequence[Job]:
    """Return all jobs, the latest due first."""
    return session.execute(select(Job).order_by(Job.due_at.desc(), Job.id.desc())).scalars().all()


def stalled_since(session: Session, now: datetime) -> datetime | None:
    """Return since when a job has been failed, or due without anybody working on it.

    What somebody asked for on a page is not counted: they see for themselves what becomes of it.
    """
    late = now - STALLED
    return session.execute(
        select(func.min(Job.due_at)).where(
            Job.kind.not_in(ASKED_FOR),
            or_(
                Job.state == "failed",
                and_(Job.state == "waiting", Job.due_at < late),
                and_(Job.state == "running", Job.leased_until < late),
            ),
        )
    ).scalar()


# -- a worker's hands ------------------------------------------------------------------------


def claim(  # noqa: PLR0913 - which job, for whom, from when and for how long
    database: Database,
    worker: str,
    now: datetime,
    kinds: Collection[str],
    length: timedelta = LEASE,
    *,
    key: str | None = None,
) -> Lease | None:
    """Take the job that has been due longest, or whose worker has fallen silent.

    :param key: only the job of this key; without it, any.
    """
    named = () if key is None else (Job.key == key,)
    with database.writing() as session:
        job = session.execute(
            select(Job)
            .where(
                Job.kind.in_(kinds),
                *named,
                or_(
                    and_(Job.state == "waiting", Job.due_at <= now),
                    and_(Job.state == "running", Job.leased_until <= now),
                ),
            )
            .order_by(Job.due_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).scalar()
        if job is None:
            return None
        job.state, job.worker, job.leased_until = "running", worker, now + length
        job.fence += 1
        lease = Lease(
            job.id,
            job.kind,
            job.key,
            job.fence,
            length,
            job.cursor,
            job.done,
            job.total,
            job.report or {},
        )
        session.flush()
        record(Act(session, SYSTEM, now), _entry("job.started", lease))
    return lease


def renew(act: Act, lease: Lease) -> None:
    """Hold on to a job: nobody else is given it while this transaction is open.

    :raises LeaseLost: if somebody has been given it already; so do all that follow.
    """
    _write(act, lease, leased_until=act.at + lease.length)


def advance(act: Act, lease: Lease, step: Step) -> Lease:
    """Note how far a job has come, in the transaction of the batch; return the lease as it is."""
    come = {
        "cursor": step.cursor,
        "done": step.done,
        "total": step.total,
        "report": step.report,
    }
    _write(act, lease, leased_until=act.at + lease.length, **come)
    return replace(lease, **come)


def finish(act: Act, lease: Lease) -> None:
    """Note that a job is done, with the report that it has come to."""
    _write(act, lease, state="finished", leased_until=None, finished_at=act.at, error=None)
    record(act, _entry("job.finished", lease, report=lease.report))


def fail(act: Act, lease: Lease, error: Exception) -> State:
    """Note that a job failed: it is tried again later, or given up and left to be seen.

    Of an error that is none of ours only the kind is kept: its text may name a client.
    """
    query = select(Job.failures).where(Job.id == lease.id)
    failures = 1 + act.session.execute(query).scalar_one()
    kind, message = type(error).__name__, getattr(error, "message", None)
    if failures > len(_DELAYS):
        state: State = "failed"
        when = {"finished_at": act.at}
    else:
        state = "waiting"
        when = {"due_at": act.at + _DELAYS[failures - 1]}
    said = str(message) if isinstance(message, Message) else kind
    _write(act, lease, state=state, failures=failures, error=said, leased_until=None, **when)
    record(act, _entry("job.failed", lease, reason=kind, failures=failures))
    return state


def release(act: Act, lease: Lease) -> None:
    """Give a job back unfinished: it is due now, to be gone on with by whoever comes."""
    _write(act, lease, state="waiting", leased_until=None, due_at=act.at)


def carry_out(database: Database, clock: Clock, lease: Lease, batch: Batch, stop: Event) -> Left:
    """Do a job batch by batch until it is done, fails, or is to stop.

    :raises LeaseLost: if somebody else was given the job meanwhile.
    :raises OperationalError: if the database failed; when the lease has run out, the job is gone
        on with.
    """
    while True:
        try:
            with database.writing() as session:
                act = Act(session, SYSTEM, clock())
                renew(act, lease)
                step = batch(act, lease)
                lease = advance(act, lease, step)
                if step.is_last:
                    finish(act, lease)
        except (LeaseLost, OperationalError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, the job failed by it
            with database.writing() as session:
                return Left(fail(Act(session, SYSTEM, clock()), lease, error), error)
        step.committed()
        if step.is_last:
            return Left("finished")
        if stop.wait(_PAUSE if database.is_sqlite else 0):
            with database.writing() as session:
                release(Act(session, SYSTEM, clock()), lease)
            return Left("waiting")


def _write(act: Act, lease: Lease, **values: Any) -> None:
    """Write of a job under the fence it was given with."""
    changed = act.session.execute(
        update(Job)
        .where(Job.id == lease.id, Job.fence == lease.fence, Job.state == "running")
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if not _one(changed):
        raise LeaseLost(lease.key)


def _entry(verb: str, lease: Lease, **details: Any) -> Entry:
    return Entry(verb, f"job:{lease.id}", {"key": lease.key, "fence": lease.fence, **details})


def _one(changed: Any) -> bool:
    return isinstance(changed, CursorResult) and changed.rowcount == 1
