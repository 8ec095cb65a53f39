"""Many processes at the same rows: nothing is lost, nobody is locked out, one wins each race.

Run as ``python -m bench.races``; SQLite is in a folder of its own, PostgreSQL where the tests'
is.  It exits non-zero if an aim is missed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date, timedelta
from functools import cache
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from unittest.mock import patch

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.clock import business_date, system_clock
from app.config import Config
from app.database import retried
from app.merit import Merit
from app.models import Activity, Approval, Client, Decision, HistoryEntry, Key
from app.services.activities import NewActivity, record_activities
from app.services.authority import Actor, Scope
from app.services.clients import Stated, put_client, stated_of
from app.services.errors import NotActionable, Refused, Stale
from app.services.governance import draft, publish_due, review, save, schedule, submit, versions
from app.services.keys import Terms, create_key, is_good, keys, revoke_key, rotate_key
from app.services.policies import PolicyInForce, prepare
from app.services.standings import decide
from app.services.verification import HistoryBroken, verify
from app.words import Words
from bench.policy import machine
from rules.document.strict_json import dumps, loads
from tests.app.company import Company, company_in
from tests.databases import KINDS

_POLICY = Path(__file__).parents[1] / "examples" / "wholesale.json"
_SPAWN = get_context("spawn")
COUNTED = [f"counted-{n}" for n in range(40)]
"""Clients whose one attribute everybody reads, adds one to, and states again."""

STATED = [f"stated-{n}" for n in range(40)]
"""Clients of whom everybody states something new, whatever was stated before."""

BUYERS = [f"buyer-{n}" for n in range(400)]
"""Clients with whom activities happen; whoever tells of the first adds the client."""

HAPPENED = 50_000
"""So many activities are told of at any time; as many others by all processes at about once."""

KEYS, DRAFTS = 4, 4


@dataclass
class Tally:
    """What was acknowledged to one process, or to all."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    puts: Counter[str] = field(default_factory=Counter)
    saves: Counter[str] = field(default_factory=Counter)
    told: set[int] = field(default_factory=set)

    def add(self, other: Tally) -> None:
        for each in fields(self):
            getattr(self, each.name).update(getattr(other, each.name))


def main() -> int:
    """Measure, print, and tell whether all aims were met."""
    parser = argparse.ArgumentParser(prog="python -m bench.races")
    parser.add_argument("--operations", type=int, default=50_000, help="on each database")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--races", type=int, default=2_000, help="on each database")
    parser.add_argument("--database", choices=KINDS, action="append")
    options = parser.parse_args()
    print(machine("sqlalchemy", "psycopg"), "\n")
    met = True
    for kind in options.database or KINDS:
        with TemporaryDirectory() as folder, company_in(kind, Path(folder)) as company:
            print(f"## {kind}\n\n| | |\n| --- | ---: |", flush=True)
            met &= loaded(company, options.operations, options.processes)
            met &= raced(company, options.races)
            met &= whole(company)
            print(flush=True)
    return 0 if met else 1


def line(name: str, value: object, *, aim: object = None) -> bool:
    """Print a line of the table; return whether what was aimed at was met."""
    met = aim is None or value == aim
    print(f"| {name} | {value}{'' if met else f' — the aim is {aim}'} |", flush=True)
    return met


# -- a mixed load ------------------------------------------------------------------------------


def loaded(company: Company, operations: int, processes: int) -> bool:
    """Put the load on a company, and compare what was acknowledged with what is there."""
    with patch("app.services.governance.prepare", _prepared_once()):
        company.publish(example())
    anna, edith = company.actor("anna"), company.actor("edith")
    for _ in range(DRAFTS):
        with company.merit.acting(edith) as act:
            draft(act, example())
    for place in range(KEYS):
        with company.merit.acting(anna) as act:
            create_key(act, company.merit.secret, _terms(place))
    with company.merit.database.reading() as session:
        before = (_count(session, Key), _count(session, Activity))
    share = [operations // processes + (n < operations % processes) for n in range(processes)]
    tally, began = Tally(), perf_counter()
    with _SPAWN.Pool(processes) as pool:
        work = [(company.merit.config, seed, number) for seed, number in enumerate(share)]
        for each in pool.imap_unordered(_work, work):
            tally.add(each)
    seconds = perf_counter() - began
    line("operations, in so many processes", f"{operations:,}, {processes}")
    line("operations a second", f"{operations / seconds:,.0f}")
    for name, number in sorted(tally.done.items()):
        line(f"of them {name}", f"{number:,}")
    for name, number in sorted(tally.refused.items()):
        line(f"refused as {name}", f"{number:,}")
    met = line("answered with an error", sum(tally.errors.values()), aim=0)
    for name, number in tally.errors.items():
        line(name, number)
    with company.merit.database.reading() as session:
        lost = Counter(
            {
                "of clients": sum(_lost_puts(session, tally.puts)),
                "of counters": sum(_lost_counts(session, tally.puts)),
                "of drafts": sum(_lost_saves(session, tally.saves)),
                "of activities": len(tally.told) - _count(session, Activity) + before[1],
                "of activities told again": tally.done["activities recorded"] - len(tally.told),
                "of decisions": tally.done["decisions"] - _count(session, Decision),
                "of keys": before[0] + tally.done["keys"] - _count(session, Key),
            }
        )
    for name, number in lost.items():
        met &= line(f"lost updates {name}", number, aim=0)
    return met


def example() -> dict[str, Any]:
    """Return the policy of which the load and the races make versions."""
    found = loads(_POLICY.read_bytes())
    assert isinstance(found, dict)
    return found


def _lost_puts(session: Session, puts: Counter[str]) -> Iterable[int]:
    """Yield by how much each client's version is not the number of acknowledged changes."""
    rows = session.execute(select(Client.reference, Client.version)).all()
    found = {reference: version for reference, version in rows if reference in (*COUNTED, *STATED)}
    return (abs(puts[name] - found.get(name, 0)) for name in {*puts, *found})


def _lost_counts(session: Session, puts: Counter[str]) -> Iterable[int]:
    for client in session.execute(select(Client).where(Client.reference.in_(COUNTED))).scalars():
        counted = stated_of(session, client).attributes.get("visits", 0)
        yield abs(puts[client.reference] - int(str(counted)))


def _lost_saves(session: Session, saves: Counter[str]) -> Iterable[int]:
    for version in versions(session):
        if version.state == "draft":
            yield abs(saves[str(version.id)] + 1 - version.revision)


def _count(session: Session, table: type) -> int:
    return session.execute(select(func.count()).select_from(table)).scalar_one()


def _terms(place: int) -> Terms:
    return Terms(f"till {place}", [Scope.STANDING_READ], timedelta(days=300))


def _good(session: Session, merit: Merit) -> list[Key]:
    return [
        each
        for each in keys(session)
        if each.name.startswith("till") and is_good(each, merit.clock())
    ]


def _work(order: tuple[Config, int, int]) -> Tally:
    config, seed, number = order
    worker = Worker(Merit(config, system_clock), Random(seed))
    try:
        for _ in range(number):
            worker.act()
    finally:
        worker.merit.database.close()
    return worker.tally


class Worker:
    """One process of the load: it does what comes, as the API does, and notes what it was told."""

    def __init__(self, merit: Merit, random: Random) -> None:
        self.merit, self.random, self.tally = merit, random, Tally()
        self.day = business_date(merit.clock, merit.fixed.time_zone)
        self.actor = Actor("key:bench")
        self.anna, self.edith = named(merit, "anna"), named(merit, "edith")
        self.kinds: dict[Callable[[], None], int] = {
            self.count: 25,
            self.state: 20,
            self.tell: 30,
            self.decide: 15,
            self.rotate: 3,
            self.revoke: 1,
            self.save: 6,
        }

    def act(self) -> None:
        """Do one operation and note its end."""
        [operation] = self.random.choices(list(self.kinds), list(self.kinds.values()))
        try:
            retried(operation)
        except Refused as error:
            self.tally.refused[type(error).__name__] += 1
        except DBAPIError as error:
            self.tally.errors[f"{operation.__name__}: {error.orig}"] += 1
        else:
            self.tally.done[operation.__name__] += 1

    def count(self) -> None:
        """Read a client, add one, and state it over exactly the version read."""
        name = self.random.choice(COUNTED)
        with self.merit.database.reading() as session:
            client = session.execute(select(Client).where(Client.reference == name)).scalar()
            version = client.version if client else None
            counted = stated_of(session, client).attributes.get("visits", 0) if client else 0
        stated = Stated(name=name, attributes={"visits": int(str(counted)) + 1})
        with self.merit.acting(self.actor) as act:
            put_client(act, name, stated, self.day, expected=(version,))
        self.tally.puts[name] += 1

    def state(self) -> None:
        """State something new about a client, over whatever is there."""
        name, text = self.random.choice(STATED), f"{self.random.getrandbits(64):x}"
        with self.merit.acting(self.actor) as act:
            put_client(act, name, Stated(name=name, attributes={"note": text}), self.day)
        self.tally.puts[name] += 1

    def tell(self) -> None:
        """Tell of activities that others may have told of already, or do at this moment."""
        first, number = self.random.randrange(HAPPENED), self.random.randint(1, 5)
        if self.random.random() < 0.5:
            first = HAPPENED + 3 * self.tally.done["tell"] + self.random.randrange(12)
        places = [*range(first, first + number)]
        self.random.shuffle(places)
        with self.merit.acting(self.actor) as act:
            found = record_activities(
                act, [happened(place, self.day) for place in places], add_missing=True
            )
        assert not found.refused, found
        self.tally.told.update(places)
        self.tally.done["activities recorded"] += len(found.new)
        self.tally.done["activities known already"] += len(found.known)

    def decide(self) -> None:
        """Decide about some clients."""
        wanted = self.random.sample([*COUNTED, *STATED, *BUYERS], 3)
        with self.merit.database.reading() as session:
            query = select(Client.id).where(Client.reference.in_(wanted))
            ids = session.execute(query).scalars().all()
        with self.merit.acting(self.actor) as act:
            _, found = decide(act, self.merit.rulebook, ids, self.day, Words())
        assert not found.failed, found
        self.tally.done["decisions"] += found.decided

    def rotate(self) -> None:
        """Give a key a successor, as others may at this moment."""
        with self.merit.database.reading() as session:
            good = _good(session, self.merit)
        key = self.random.choice(good) if good else None
        with self.merit.acting(self.anna) as act:
            if key is None:
                create_key(act, self.merit.secret, _terms(0))
            else:
                rotate_key(act, self.merit.secret, key.id, timedelta(days=1))
        self.tally.done["keys"] += 1

    def revoke(self) -> None:
        """End a key that has a successor, as others may at this moment."""
        with self.merit.database.reading() as session:
            good = _good(session, self.merit)
        names = Counter(each.name for each in good)
        key = next((each.id for each in good if names[each.name] > 1), "000000000000")
        with self.merit.acting(self.anna) as act:
            revoke_key(act, key)

    def save(self) -> None:
        """Save a draft over the revision last read."""
        with self.merit.database.reading() as session:
            drafts = [each for each in versions(session) if each.state == "draft"]
            chosen = self.random.choice(drafts)
            number, revision = chosen.id, chosen.revision
        document = {**example(), "name": {"en": f"{self.random.getrandbits(64):x}"}}
        with self.merit.acting(self.edith) as act:
            save(act, number, revision, document)
        self.tally.saves[str(number)] += 1


def happened(place: int, today: date) -> NewActivity:
    """Return one of the activities, the same whoever tells of it."""
    day = today - timedelta(days=place % 400)
    return NewActivity("till", f"t-{place}", BUYERS[place % 400], "sale", day, amount=place * 7)


# -- races -------------------------------------------------------------------------------------


def raced(company: Company, races: int) -> bool:
    """Let two act at the same instant, approvers and publishers in turn; one has to win."""
    conductor = Conductor(company)
    winners: Counter[tuple[str, int]] = Counter()
    began = perf_counter()
    with conductor.racers():
        for place in range(0, races, 2):
            number, digest = conductor.submitted()
            winners["approvers", conductor.race("approve", number, digest)] += 1
            if place + 1 < races:
                conductor.scheduled(number)
                winners["publishers", conductor.race("publish", number, digest)] += 1
    seconds = perf_counter() - began
    line("races, a second", f"{races:,}, {races / seconds:,.0f}")
    met = True
    for kind, wanted in (("approvers", (races + 1) // 2), ("publishers", races // 2)):
        met &= line(f"races of {kind} with one winner", winners[kind, 1], aim=wanted)
    with company.merit.database.reading() as session:
        approved = _count(session, Approval) - 1
        published = session.execute(
            select(func.count()).where(HistoryEntry.verb == "policy.published")
        ).scalar_one()
    met &= line("approvals kept", approved, aim=(races + 1) // 2)
    return met & line("publications in the history", published - 1, aim=races // 2)


class Conductor:
    """Makes versions ready to be raced for, and starts two racers at once."""

    def __init__(self, company: Company) -> None:
        self.merit = Merit(company.merit.config, system_clock)
        self.edith, self.paul = named(self.merit, "edith"), named(self.merit, "paul")
        self.lines: list[Connection] = []

    @contextmanager
    def racers(self) -> Any:
        """Have two processes stand ready, and checks that need no child process each time."""
        start = _SPAWN.Barrier(2)
        started = []
        for name in ("paul", "petra"):
            ours, theirs = _SPAWN.Pipe()
            process = _SPAWN.Process(target=_race, args=(self.merit.config, name, start, theirs))
            process.start()
            started.append(process)
            self.lines.append(ours)
        with patch("app.services.governance.prepare", _prepared_once()):
            yield
        for each in self.lines:
            each.send(None)
        for process in started:
            process.join()
        self.merit.database.close()

    def submitted(self) -> tuple[int, str]:
        """Lay a new version before the reviewers; return its number and digest."""
        with self.merit.acting(self.edith) as act:
            number = draft(act, example())
        now = self.merit.clock()
        return number, submit(self.merit.database, self.edith, number, "To race for.", now)

    def scheduled(self, number: int) -> None:
        with self.merit.acting(self.paul) as act:
            schedule(act, number, act.at, "At once.")

    def race(self, what: str, number: int, digest: str) -> int:
        """Return how many of the two won."""
        for each in self.lines:
            each.send((what, number, digest))
        return sum(each.recv() for each in self.lines)


def _race(config: Config, name: str, start: Any, orders: Connection) -> None:
    merit = Merit(config, system_clock)
    actor = named(merit, name)
    with patch("app.services.governance.prepare", _prepared_once()):
        while order := orders.recv():
            what, number, digest = order
            act = _approve if what == "approve" else _publish
            start.wait()
            orders.send(act(merit, actor, number, digest))
    merit.database.close()


def _approve(merit: Merit, actor: Actor, number: int, digest: str) -> bool:
    try:
        with merit.acting(actor) as act:
            review(act, number, digest, "approved", "First.")
    except (NotActionable, Stale):
        return False
    return True


def _publish(merit: Merit, _actor: Actor, number: int, _digest: str) -> bool:
    done = publish_due(merit.database, merit.clock())
    assert all(each.number == number and not each.problems for each in done), done
    return bool(done)


def _prepared_once() -> Callable[[Mapping[str, Any]], PolicyInForce]:
    """Return what prepares a policy once: all versions raced for say the same."""

    @cache
    def remembered(text: str) -> PolicyInForce:
        document = loads(text)
        assert isinstance(document, dict)
        return prepare(document)

    return lambda document: remembered(dumps(document))


def named(merit: Merit, name: str) -> Actor:
    """Return one of the cast as they are now."""
    return Company(merit, None, None, {}).actor(name)  # type: ignore[arg-type]  # not needed here


# -- the history -------------------------------------------------------------------------------


def whole(company: Company) -> bool:
    """Verify the history that all this left."""
    began = perf_counter()
    try:
        with company.merit.database.reading() as session:
            tree = verify(session)
    except HistoryBroken as error:
        return line("history", error.message, aim="whole")
    line("entries of the history, gapless and verified", f"{tree.size:,}")
    return line("seconds to verify them", f"{perf_counter() - began:.1f}")


if __name__ == "__main__":
    sys.exit(main())
