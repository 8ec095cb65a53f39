"""A job that somebody waits for: done here, or watched where a worker is at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Event

from sqlalchemy import select

from app.cli.figures import bar
from app.cli.stopping import own_name
from app.merit import Merit
from app.models import Job
from app.services import jobs
from app.services.errors import NotActionable
from app.services.history import Act
from app.services.jobs import Batch, Lease, Step
from app.words import Words
from rules.messages import Message

_LOOK_AGAIN = 1.0
"""Seconds between looks at a job that somebody else is at."""


@dataclass(frozen=True, slots=True)
class Work:
    """A job by its key, how it is called, and what does its next batch.

    ``label`` stands beside the progress, ``name`` in what is said of it; ``length`` is how much
    there is to do.
    """

    kind: str
    key: str
    label: Message
    name: Message
    length: int
    batch: Batch


def see_through(found: Merit, work: Work, lease: timedelta, stop: Event) -> None:
    """See a job to its end, whoever does it.

    :raises NotActionable: if it failed, or was stopped.
    """
    while not _is_finished(found, work):
        taken = jobs.claim(
            found.database, own_name(), found.clock(), [work.kind], lease, key=work.key
        )
        if taken is None:
            stop.wait(_LOOK_AGAIN)
        else:
            _do(found, work, taken, stop)
        if stop.is_set():
            raise NotActionable("%(work)s was stopped; the next goes on with it.", work=work.name)


def _is_finished(found: Merit, work: Work) -> bool:
    with found.database.reading() as session:
        state = session.execute(select(Job.state).where(Job.key == work.key)).scalar()
    if state == "failed":
        raise NotActionable("%(work)s failed; flask jobs list says why.", work=work.name)
    return state == "finished"


def _do(found: Merit, work: Work, lease: Lease, stop: Event) -> None:
    with bar(Words().say(work.label), work.length) as advance:
        advance(lease.done)
        left = jobs.carry_out(found.database, found.clock, lease, _shown(work.batch, advance), stop)
    if left.error is not None:
        raise NotActionable(
            "%(work)s failed and will be tried again; flask jobs list says why.", work=work.name
        ) from left.error


def _shown(batch: Batch, advance: Callable[[int], None]) -> Batch:
    def showing(act: Act, lease: Lease) -> Step:
        step = batch(act, lease)

        def committed() -> None:
            step.committed()
            advance(step.done - lease.done)

        return replace(step, committed=committed)

    return showing
