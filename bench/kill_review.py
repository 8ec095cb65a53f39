"""Reviews killed at random moments: each date comes out as if nobody had touched it.

Run as ``python -m bench.kill_review [--kills 200] [--clients 20000]``.  On each kind of database
``flask review`` is sent SIGKILL again and again and started anew, on one business date after the
other; meanwhile clients rise, are given notice, lose benefits and tiers, and win them back.  Then
every table it writes is compared with that of reviews nobody disturbed, from the same beginning.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import date
from itertools import chain, islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import (
    Base,
    Decision,
    FixedPlace,
    HistoryEntry,
    HistoryInput,
    HookDelivery,
    HookMessage,
    Job,
    Notice,
    Standing,
    StandingEvent,
    Subject,
)
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM
from app.services.history import SubjectKey
from app.services.hooks import add_receiver
from app.services.standings import REVIEW
from app.services.verification import HistoryBroken, verify
from bench.ahead import seconds_to
from bench.kill import AT_WORK, FOUNDING, POLICY, Bench, Result, Tormented, told, without_entry
from bench.policy import machine
from rules.windows import DAY
from tests.app.company import NOW, Company, branch, close, company_in
from tests.databases import KINDS

FIRST = NOW.date() + DAY
"""The first date to be reviewed."""

DATES = 4
"""The dates over which the kills are spread; more are reviewed if some are left."""

LEASE = 1
"""Seconds after which a review is taken for dead."""

LONGEST_WAIT, LONGEST_START = 0.3, 2.0
"""Seconds from a moment, or from the start, until a review is killed, at most."""

LOOK = 0.02
"""Seconds between looks at how far a review has come."""

BATCH = 5000
"""Activities recorded at once."""

AGAIN = 1 / 4
"""The part of clients who order once more on one of the dates."""

EVENTS = ("promoted", "notice_given", "benefit_withdrawn", "demoted", "reinstated")
"""What has to happen to somebody, or it would not be seen whether it happens once."""

RANDOM, INSTANT = re.compile(r"[0-9a-f]{32}"), re.compile(r"\d{4}-\d\d-\d\dT[0-9:.+]+")
Rows = Callable[[Session], Iterator[object]]


def main() -> int:
    """Kill, compare, and print what was found."""
    options = ArgumentParser(prog="python -m bench.kill_review")
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--clients", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    print(machine("Flask", "SQLAlchemy", "psycopg"), "\n", flush=True)
    with ThreadPoolExecutor() as threads:  # side by side: there is much waiting
        runs = {
            kind: threads.submit(
                killed, kind, given.kills // len(KINDS), given.clients, Random(given.seed + place)
            )
            for place, kind in enumerate(KINDS)
        }
        found = {kind: run.result() for kind, run in runs.items()}
    return told(found, "Every row is as if nothing had been killed.")


def killed(kind: str, kills: int, clients: int, random: Random) -> Result:
    """Kill reviews over a database of a kind; compare what they come to with what they should."""
    began, result = perf_counter(), Result()
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        with FOUNDING:
            company = stack.enter_context(company_in(kind, folder))
        fill(company, clients)
        close(company)
        torn, whole = (stack.enter_context(branch(company, folder)) for _ in range(2))
        disturbed = Reviewer(Bench(torn.merit, torn.key, folder), random, clients)
        disturbed.torment(kills)
        undisturbed = Reviewer(Bench(whole.merit, whole.key, folder), random, clients)
        for each in disturbed.dates:
            undisturbed.begin(each)
            undisturbed.to_the_end()
        result.note("clients", clients)
        result.note("dates reviewed", len(disturbed.dates))
        result.note("kills of a review", disturbed.kills)
        result.note("of them as it started", disturbed.starting)
        compare(torn, whole, result)
        look_through(torn, result)
    result.note("seconds", round(perf_counter() - began))
    return result


# -- the company -------------------------------------------------------------------------------


def fill(company: Company, clients: int) -> None:
    """Bring the policy into force, and record what happens with so many clients."""
    company.publish(document())
    with company.merit.acting(company.actor("anna")) as act:
        add_receiver(act, company.merit.secret, "https://example.com/merit")
    happened = chain.from_iterable(bought(Random(number), number) for number in range(clients))
    while batch := list(islice(happened, BATCH)):
        with company.merit.acting(SYSTEM) as act:
            record_activities(act, batch, add_missing=True)


def document() -> dict[str, Any]:
    """Return the example with ranks, and with tiers kept as they are earned, lost within days."""
    found: dict[str, Any] = json.loads(POLICY.read_bytes())
    found["metrics"].append(PLACE)
    for tier in found["tiers"]:
        tier.pop("keep", None)
    for policy in found["demotion_policies"]:
        policy.pop("minimum_stay_days", None)
        for step in policy["steps"]:
            step["days"] = 0 if step["kind"] == "notice" else 1
    return found


class Buyers(NamedTuple):
    """Clients of a tier: their orders, each for so much, and for how many days these count."""

    orders: int
    amount: int
    days: int


BUYERS = (
    Buyers(1, 5_000, 180),
    Buyers(3, 50_000, 180),
    Buyers(6, 100_000, 120),
    Buyers(10, 250_000, 90),
)


PLACE = {
    "key": "place",
    "name": {"en": "Place by revenue", "uk": "Місце за оборотом"},
    "type": "decimal",
    "places": 1,
    "unit": "percent",
    "source": {"kind": "rank", "metric": "revenue_12m"},
}


def bought(random: Random, number: int) -> Iterator[NewActivity]:
    """Yield a client's orders: enough for a tier until one of the dates, some again later."""
    buyer = random.choice(BUYERS)
    last = FIRST + (random.randrange(2 * DATES) - buyer.days) * DAY
    days = [last] * buyer.orders
    if random.random() < AGAIN:
        days.append(FIRST + random.randrange(2, DATES) * DAY)
    client, amount = f"C-{number}", buyer.amount
    for order, day in enumerate(days):
        yield NewActivity("till", f"{number}-{order}", client, "sale", day, amount=amount)


# -- reviews that are killed -------------------------------------------------------------------


class Reviewer(Tormented):
    """``flask review``, on one date after the other."""

    name = "reviewing"

    def __init__(self, bench: Bench, random: Random, clients: int) -> None:
        super().__init__(bench, random)
        self.clients, self.starting, self.ahead = clients, 0, 0.0
        self.dates: list[date] = []

    def command(self) -> list[str]:
        application = f"bench.ahead:app({self.ahead})"
        command = [sys.executable, "-m", "flask", "--app", application, "review"]
        return [*command, "--lease", str(LEASE)]

    def torment(self, kills: int) -> None:
        """Review a date after the other, each to its end, until there were so many kills."""
        while len(self.dates) < DATES or self.kills < kills:
            share = -(-(kills - self.kills) // max(1, DATES - len(self.dates)))
            self.begin(FIRST + len(self.dates) * DAY)
            moments = sorted(self.random.randrange(self.clients) for _ in range(share))
            if all(self._killed_at(each) for each in moments):
                self.to_the_end()

    def begin(self, day: date) -> None:
        """Go on to a date; its clock runs on from one start to the next."""
        self.dates.append(day)
        self.ahead = seconds_to(day)

    def _killed_at(self, moment: int) -> bool:
        """Start a review and kill it when it has come to so many clients; False if it ended."""
        taken, _ = self._come()
        with self.started() as process:
            if at_work := self.random.random() < AT_WORK:
                while process.poll() is None and self._come() < (taken + 1, moment):
                    sleep(LOOK)
            sleep(self.random.uniform(0, LONGEST_WAIT if at_work else LONGEST_START))
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                self.kills += 1
                self.starting += not at_work
                return True
            assert process.returncode == 0, process.stdout and process.stdout.read()
            return False

    def _come(self) -> tuple[int, int]:
        """Return how often the review has been taken, and to how many clients it has come."""
        query = select(Job.fence, Job.done).where(Job.key == f"{REVIEW}:{self.dates[-1]}")
        with self.bench.merit.database.reading() as session:
            found = session.execute(query).one_or_none()
        return (0, 0) if found is None else (found.fence, found.done)


# -- what is there -----------------------------------------------------------------------------


def compare(torn: Company, whole: Company, result: Result) -> None:
    """Compare every row that reviews write with what it is where nothing was killed."""
    with torn.merit.database.reading() as found, whole.merit.database.reading() as wanted:
        names = {**decisions(found), **decisions(wanted)}
        for name, rows in ROWS.items():
            there, right = (
                Counter(nameless(each, names) for each in rows(session))
                for session in (found, wanted)
            )
            unlike = [*((there - right) + (right - there))]
            wrong = unlike[:3] or (None if there else "none")
            result.note(f"{name}; unlike", f"{there.total():,}; {len(unlike):,}", wrong)
        kinds = Counter(found.execute(select(StandingEvent.kind)).scalars())
    for kind in EVENTS:
        result.note(f"events: {kind}", kinds[kind], None if kinds[kind] else "none")


def decisions(session: Session) -> dict[str, str]:
    """Return the random names of decisions, with who and when each is about."""
    found = session.execute(select(Decision.id, Decision.client_id, Decision.day))
    return {each.id: f"{each.client_id} on {each.day}" for each in found}


def nameless(row: object, names: Mapping[str, str]) -> str:
    """Return a row as text, without instants and with what decisions are about for their names."""
    text = RANDOM.sub(lambda match: names.get(match[0], match[0]), repr(row))
    return INSTANT.sub("then", text)


def _all(model: type[Base], *apart: str) -> Rows:
    """Return what reads a table, but for these columns."""
    columns = [each for each in model.__table__.columns if each.name not in ("id", "at", *apart)]
    return lambda session: map(tuple, session.execute(select(*columns)))


def _messages(session: Session) -> Iterator[object]:
    """Yield what receivers will be told of each client, in this order."""
    place = func.row_number().over(partition_by=HookDelivery.subject, order_by=HookDelivery.id)
    query = select(HookDelivery.subject, place, HookDelivery.state, HookMessage.payload)
    return map(tuple, session.execute(query.join(HookMessage)))


def _reports(session: Session) -> Iterator[object]:
    query = select(Job.key, Job.state, Job.failures, Job.done, Job.total, Job.report)
    return map(tuple, session.execute(query.where(Job.kind == REVIEW)))


def _inputs(session: Session) -> Iterator[object]:
    """Yield what the history keeps of each decision, decrypted."""
    query = (
        select(HistoryEntry.object, HistoryInput.sealed, Subject.id, Subject.key)
        .join(HistoryInput, HistoryInput.sequence == HistoryEntry.sequence)
        .join(Subject, Subject.id == HistoryInput.subject)
        .where(HistoryEntry.verb == "client.decided")
    )
    for about, sealed, subject, key in session.execute(query):
        yield about, sealed and SubjectKey(subject, key).open(sealed, about)


ROWS: dict[str, Rows] = {
    "decisions": _all(Decision),
    "what the history keeps of them": _inputs,
    "events of standings": _all(StandingEvent),
    "standings": _all(Standing),
    "places, fixed ahead": _all(FixedPlace),
    "letters": _all(Notice, "batch"),
    "messages to receivers": _messages,
    "reports of reviews": _reports,
}
"""What reviews write, and what reads it."""


def look_through(torn: Company, result: Result) -> None:
    """Look for what was done twice or not at all, and read the history again."""
    with torn.merit.database.reading() as session:
        result.note("clients decided twice for a date", *_repeated(session, Decision, "day"))
        events = _repeated(session, StandingEvent, "day", "kind")
        result.note("events that happened twice", *events)
        halves = without_entry(session)
        result.note("decisions without their entry, or the reverse", len(halves), halves[:3])
        result.note("reviews taken", session.execute(select(func.sum(Job.fence))).scalar_one())
        try:
            result.note("entries of the history verified", verify(session).size)
        except HistoryBroken as error:
            result.note("entries of the history verified", "broken", error)


def _repeated(session: Session, model: type[Base], *names: str) -> tuple[int, list[Any]]:
    """Return how many rows of a client repeat another one, and the first of them."""
    columns = [model.__table__.c[each] for each in ("client_id", *names)]
    query = select(*columns).group_by(*columns).having(func.count() > 1)
    found = list(map(tuple, session.execute(query)))
    return len(found), found[:3]


if __name__ == "__main__":
    sys.exit(main())
