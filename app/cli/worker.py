"""``worker`` and ``jobs``: what is done by the clock, and what has become of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event, Thread
from time import perf_counter
from traceback import extract_tb
from zoneinfo import ZoneInfo

import click
import structlog
from flask.cli import AppGroup, with_appcontext
from sqlalchemy.exc import OperationalError

from app.cli.figures import lease_option
from app.cli.speech import said_plainly, say
from app.cli.stopping import own_name, stop_when_told
from app.merit import Merit, merit
from app.models import Job
from app.schema import require_current
from app.services import effect, estimating, housekeeping, jobs
from app.services.authority import SYSTEM
from app.services.courier import Courier
from app.services.governance import publish_due
from app.services.review import missed, review
from app.services.standings import REVIEW
from rules.messages import Message
from rules.windows import local_day

_IDLE = 3.0
"""Seconds that a worker waits when nothing is due."""

_DAILY = (REVIEW, housekeeping.KIND)
"""The kinds of the jobs that there are of each day."""

log = structlog.get_logger()


@click.command("worker")
@click.option("--once", is_flag=True, help="Stop when nothing is due any more.")
@lease_option
@with_appcontext
def worker(once: bool, lease: float) -> None:
    """Do what is due by the clock: publish, review all clients every night, tidy up, send hooks.

    As many as you like may work side by side.  SIGTERM ends one after the batch it is at.
    """
    stop = stop_when_told()
    with said_plainly():
        require_current(merit().database)
        found = _Worker(merit(), stop, timedelta(seconds=lease))
        with structlog.contextvars.bound_contextvars(worker=found.name):
            failed = found.work_off() if once else found.work()
        if failed:
            message = Message("Jobs that failed: %(count)d; flask jobs list says why", count=failed)
            raise click.ClickException(message)


@dataclass(frozen=True)
class _Worker:
    """One process that does jobs, until it is told to stop."""

    merit: Merit
    stop: Event
    lease: timedelta
    name: str = field(default_factory=own_name)

    @property
    def courier(self) -> Courier:
        found = self.merit
        return Courier(found.database, found.clock, found.secret, found.hook_networks)

    @property
    def batches(self) -> Mapping[str, jobs.Batch]:
        fixed = self.merit.fixed
        return {
            REVIEW: partial(review, self.merit.rulebook, fixed),
            housekeeping.KIND: housekeeping.tidy,
            effect.KIND: estimating.Working(self.merit.rulebook),
        }

    def work(self) -> int:
        """Do what is due and wait for more; a database that does not answer is waited for.

        Hooks are sent meanwhile, so that neither they nor the jobs wait for each other.
        """
        batches = self.batches
        sending = Thread(target=self.courier.work, args=(self.stop,))
        sending.start()
        log.info("worker_started")
        while not self.stop.is_set():
            try:
                found = self._turn(batches)
            except OperationalError as error:
                log.error("database_unavailable", **_where(error))
                found = None
            if found is None:
                self.stop.wait(_IDLE)
        sending.join()
        log.info("worker_stopped")
        return 0

    def work_off(self) -> int:
        """Do what is due, send what there is to tell, and return how often a job failed."""
        batches, courier = self.batches, self.courier
        failed = 0
        while not self.stop.is_set() and (found := self._turn(batches)):
            failed += found == "failed"
        courier.work_off(self.stop)
        return failed

    def _turn(self, batches: Mapping[str, jobs.Batch]) -> str | None:
        """Publish what is due and do one job; return what became of it, None if there is none."""
        database, clock = self.merit.database, self.merit.clock
        for published in publish_due(database, clock()):
            log.info("policy_due", version=published.number, held=bool(published.problems))
        with self.merit.acting(SYSTEM) as act:
            today = local_day(act.at, ZoneInfo(self.merit.fixed.time_zone))
            extra = {REVIEW: missed(act, today)}
            jobs.plan(act, _DAILY, self.merit.fixed.time_zone, extra)
        lease = jobs.claim(database, self.name, clock(), batches, self.lease)
        if lease is None:
            return None
        said = log.bind(job=lease.key, fence=lease.fence)
        said.info("job_started", done=lease.done)
        started = perf_counter()
        try:
            ended = jobs.carry_out(database, clock, lease, batches[lease.kind], self.stop)
        except jobs.LeaseLost:
            said.warning("job_lost")
            return "lost"
        if ended.error is not None:
            said.error("job_failed", state=ended.state, **_where(ended.error))
            return "failed"
        said.info("job_left", state=ended.state, seconds=round(perf_counter() - started, 3))
        return ended.state


def _where(error: Exception) -> dict[str, object]:
    """Say what happened and where, without the error's own text: it may name a client."""
    trace = [
        f"{Path(each.filename).name}:{each.lineno}" for each in extract_tb(error.__traceback__)
    ]
    return {"reason": type(error).__name__, "where": trace}


job_commands = AppGroup("jobs", help="Jobs: what was, is and will be done by the clock.")


@job_commands.command("list")
def list_jobs() -> None:
    """Show all jobs, the latest due first: state, progress, and why the last try failed."""
    with merit().database.reading() as session:
        found = jobs.jobs(session)
    for each in found:
        click.echo(_line(each))


def _line(job: Job) -> str:
    total = "" if job.total is None else f"/{job.total}"
    parts = [f"{job.id:>6}", f"{job.key:<24}", f"{job.state:<9}", _minute(job.due_at)]
    parts += [f"{job.done}{total}", job.error or ""]
    return "  ".join(parts).rstrip()


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


@job_commands.command("retry")
@click.argument("job_id", metavar="ID", type=click.IntRange(1, 2**31 - 1))
def retry(job_id: int) -> None:
    """Have the job ID, which failed, tried again at once."""
    with said_plainly():
        with merit().acting(SYSTEM) as act:
            jobs.retry(act, job_id)
        say(Message("Job %(id)d is due now.", id=job_id))
