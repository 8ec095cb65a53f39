"""Processes killed at random moments: nothing acknowledged is lost, nothing is half there.

Run as ``python -m bench.kill [--kills 200]``.  On each kind of database a server is asked to
write, activities are imported and a worker evaluates everybody, while each of the three is sent
SIGKILL again and again and started anew.  Then everything is looked through.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from threading import Event, Lock, Thread
from time import monotonic, perf_counter, sleep
from typing import IO, Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.clock import system_clock
from app.config import Config
from app.merit import Merit
from app.models import Activity, Client, Decision, HistoryEntry, Job, Standing
from app.services.authority import SYSTEM, Scope
from app.services.keys import Terms, create_key
from app.services.verification import HistoryBroken, verify
from bench.policy import machine
from rules.document.strict_json import loads
from tests.app.company import close, founded
from tests.databases import KINDS, Place, empty

ROOT = Path(__file__).parents[1]
POLICY = ROOT / "examples" / "wholesale.json"
DAY = date(2026, 7, 1)
ROWS, BUYERS = 20_000, 300
"""Activities in a file to import, and the clients they are of."""

WRITERS, LEASE = 4, 1
"""Threads that ask the server to write; seconds after which a worker is taken for dead."""

LONGEST_LIFE = 1.5
"""Seconds for which a process is at work, at most, before it is killed."""

AT_WORK = 0.9
"""The part of processes that are let come to work before; the others are killed as they start."""

FOUNDING = Lock()
"""Held while a company is founded: Alembic migrates one database of a process at a time."""

CLAIM = 61
"""Seconds after which a request that died is done when it is sent again."""


def main() -> int:
    """Kill, look through, and print what was found."""
    options = ArgumentParser()
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    print(machine("granian", "Flask", "SQLAlchemy"), "\n")
    with ThreadPoolExecutor() as threads:  # side by side: there is much waiting
        runs = {
            kind: threads.submit(killed, kind, given.kills // len(KINDS), given.seed)
            for kind in KINDS
        }
        found = {kind: run.result() for kind, run in runs.items()}
    return told(found, "Nothing lost, nothing half written.")


@dataclass
class Result:
    """What a run came to, and what of it should not be."""

    figures: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def note(self, name: str, number: object, wrong: object = None) -> None:
        """Add a line to the table; ``wrong`` says what is wrong about it, if anything is."""
        self.figures[name] = f"{number:,}" if isinstance(number, int) else str(number)
        if wrong:
            self.wrong.append(f"{name}: {wrong}")


def told(found: Mapping[str, Result], all_is_well: str) -> int:
    """Print the results of each kind of database beside one another; return 1 if one is wrong."""
    print("| | " + " | ".join(found) + " |\n| --- |" + " ---: |" * len(found))
    for name in next(iter(found.values())).figures:
        print(f"| {name} | " + " | ".join(each.figures[name] for each in found.values()) + " |")
    wrong = [f"{kind}: {each}" for kind, result in found.items() for each in result.wrong]
    print("\n" + "\n".join(wrong or [all_is_well]))
    return 1 if wrong else 0


def killed(kind: str, kills: int, seed: int) -> Result:
    """Kill processes over a database of a kind; look through what is there afterwards."""
    began = perf_counter()
    with TemporaryDirectory() as name, company(kind, Path(name)) as bench:
        shares = {"serving": kills // 4, "evaluating": kills // 4}
        shares["importing"] = kills - sum(shares.values())
        server, importer = Server(bench, Random(seed)), Importer(bench, Random(seed + 1))
        evaluator = Evaluator(bench, Random(seed + 2))
        writers = Writers(bench.key, server, seed)
        with ThreadPoolExecutor() as threads, writers.at_work():
            for done in [
                threads.submit(each.torment, shares[each.name])
                for each in (server, importer, evaluator)
            ]:
                done.result()
        result = Result()
        for tormented in (server, importer, evaluator):
            result.note(f"kills while {tormented.name}", tormented.kills)
        look_through(bench, writers, result)
        with server.running():
            writers.send_again()
        importer.to_the_end()
        evaluator.to_the_end()
        look_at_end(bench, writers, result)
        compare(bench, importer, Path(name), result)
    result.note("seconds", round(perf_counter() - began))
    return result


# -- the company -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Bench:
    """A company to write to, its key, and how its processes are told of it."""

    merit: Merit
    key: str
    folder: Path

    @property
    def settings(self) -> dict[str, str]:
        config = self.merit.config
        return {
            "MERIT_DATABASE": config.database,
            "MERIT_DATABASE_OWNER": "",
            "MERIT_SECRET_FILE": str(config.secret_file),
        }


@contextmanager
def company(kind: str, folder: Path) -> Iterator[Bench]:
    """Found a company in a new database of a kind."""
    with empty(kind, folder) as place:
        yield from _company(place, folder)


def _company(place: Place, folder: Path) -> Iterator[Bench]:
    with FOUNDING:
        made = founded(place, folder / f"secret-{place.kind}")
    document = loads(POLICY.read_bytes())
    assert isinstance(document, dict)
    made.clock.now = system_clock()
    made.publish(document)
    config = Config(place.service, None, made.merit.config.secret_file)
    merit = Merit(config, system_clock)
    with made.merit.acting(made.actor("anna")) as act:
        terms = Terms("bench", list(Scope), timedelta(days=1), per_minute=10**9)
        key = create_key(act, merit.secret, terms).text
    try:
        yield Bench(merit, key, folder)
    finally:
        merit.database.close()
        close(made)


# -- processes that are killed -----------------------------------------------------------------


class Tormented:
    """A process that is started, killed at some moment of its work, and started again."""

    name = ""
    output = subprocess.PIPE

    def __init__(self, bench: Bench, random: Random) -> None:
        self.bench, self.random, self.kills = bench, random, 0

    def command(self) -> list[str]:
        raise NotImplementedError

    def at_work(self, process: subprocess.Popen[str]) -> None:
        """Wait until a process does what it is there for; it may end by itself before."""
        raise NotImplementedError

    def ended(self) -> None:
        """Take note that a process has done all there was to do."""

    def torment(self, kills: int) -> None:
        while self.kills < kills:
            with self.started() as process:
                if self.random.random() < AT_WORK:
                    self.at_work(process)
                sleep(self.random.uniform(0, LONGEST_LIFE))
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    self.kills += 1
                elif process.returncode == 0:
                    self.ended()
                else:
                    raise RuntimeError(f"{self.name}: exit status {process.returncode}")

    def to_the_end(self) -> None:
        with self.started() as process:
            for _line in process.stdout or ():
                pass
            assert process.wait() == 0, self.name

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            self.command(),
            cwd=ROOT,
            env={**os.environ, **self.bench.settings},
            start_new_session=True,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


class Server(Tormented):
    name = "serving"
    output = subprocess.DEVNULL
    port = 0

    def command(self) -> list[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory"]
        command += ["wsgi:serve", "--host", "127.0.0.1", "--port", str(self.port)]
        return [*command, "--workers", "1", "--blocking-threads", "4"]

    def at_work(self, process: subprocess.Popen[str]) -> None:
        give_up = monotonic() + 60
        while monotonic() < give_up and process.poll() is None:
            try:
                connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
                connection.request("GET", "/livez")
                if connection.getresponse().status == 200:
                    return
            except (OSError, HTTPException):
                sleep(0.05)
        raise RuntimeError("The server does not answer.")

    @contextmanager
    def running(self) -> Iterator[None]:
        with self.started() as process:
            self.at_work(process)
            yield


class Importer(Tormented):
    name = "importing"
    output = subprocess.DEVNULL
    file = 0

    def command(self) -> list[str]:
        path = self.bench.folder / f"file-{self.file}.csv"
        if not path.exists():
            path.write_text(made_up(self.file), encoding="utf-8")
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "import", "activities"]
        command += [str(path), "--source", f"file_{self.file}"]
        return [*command, "--all-of-kind", "sale", "--add-clients"]

    def at_work(self, process: subprocess.Popen[str]) -> None:
        """Wait until it has recorded something new."""
        before = self._batches()
        while process.poll() is None and self._batches() == before:
            sleep(0.05)

    def _batches(self) -> int:
        with self.bench.merit.database.reading() as session:
            return _number(
                session,
                HistoryEntry.verb == "activities.recorded",
                HistoryEntry.actor == SYSTEM.name,
            )

    def ended(self) -> None:
        self.file += 1


class Evaluator(Tormented):
    name = "evaluating"

    def command(self) -> list[str]:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "worker"]
        return [*command, "--once", "--lease", str(LEASE)]

    def at_work(self, process: subprocess.Popen[str]) -> None:
        _wait_for("job_started", process)

    def ended(self) -> None:
        """Have the jobs that are done begun again from their beginning."""
        again = {"state": "waiting", "cursor": None, "done": 0, "total": None, "report": None}
        with self.bench.merit.database.writing() as session:
            session.execute(update(Job).where(Job.state == "finished").values(**again))

    def to_the_end(self) -> None:
        sleep(LEASE + 1)  # the last one killed has it that long
        super().to_the_end()
        self.ended()
        super().to_the_end()


def _wait_for(word: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout
    for line in process.stdout:
        if word in line:
            Thread(target=_drain, args=[process.stdout], daemon=True).start()
            return
    process.wait()


def _drain(stream: IO[str]) -> None:
    try:
        for _ in stream:
            pass
    except ValueError:
        return  # it was closed meanwhile


def made_up(number: int) -> str:
    """Return a file of activities: always the same for the same number."""
    random = Random(number)
    lines = ["client,id,date,amount"]
    for row in range(ROWS):
        client, day = random.randrange(BUYERS), DAY - timedelta(days=random.randrange(700))
        lines.append(f"B-{client},{row},{day},{random.randrange(1, 500)}.25")
    return "\n".join(lines)


# -- requests ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A request to write: a client, or three activities of it under an Idempotency-Key."""

    client: str
    name: str | None = None

    @property
    def sold(self) -> list[dict[str, Any]]:
        return [
            {
                "source": "till",
                "id": f"{self.name}-{number}",
                "client": self.client,
                "kind": "sale",
                "date": DAY.isoformat(),
                "amount": 12_345,
            }
            for number in range(3)
        ]

    def send(self, port: int, key: str) -> int:
        """Send it and return the status.

        :raises OSError, HTTPException: if nothing, or only half of it, comes back.
        """
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        try:
            if self.name is None:
                body: object = {"name": self.client, "attributes": {"number": len(self.client)}}
                method, path = "PUT", f"/api/v1/clients/{self.client}"
            else:
                method, path, body = "POST", "/api/v1/activities", self.sold
                headers["Idempotency-Key"] = self.name
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


class Writers:
    """Threads that write over HTTP, and note what was acknowledged and what is in doubt."""

    def __init__(self, key: str, server: Server, seed: int) -> None:
        self.key, self.server, self.stop, self._lock = key, server, Event(), Lock()
        self.acknowledged: list[Request] = []
        self.doubtful: list[Request] = []
        self.statuses: Counter[int] = Counter()
        self.threads = [Thread(target=self._write, args=[each]) for each in range(WRITERS)]

    @contextmanager
    def at_work(self) -> Iterator[None]:
        for each in self.threads:
            each.start()
        try:
            yield
        finally:
            self.stop.set()
            for each in self.threads:
                each.join()

    def _write(self, thread: int) -> None:
        for number in count():
            client = f"W-{thread}-{number}"
            while not self._sent(Request(client)):  # a PUT may be sent again at once
                if self.stop.wait(0.05):
                    return
            for sale in range(3):
                if self.stop.is_set():
                    return
                self._sent(Request(client, f"{client}-{sale}"))

    def _sent(self, request: Request) -> bool:
        """Send a request and note what became of it; return whether it was acknowledged."""
        try:
            status = request.send(self.server.port, self.key)
        except ConnectionRefusedError:
            self.stop.wait(0.05)
            return False  # it was never sent
        except (OSError, HTTPException):
            status = 0
        with self._lock:
            self.statuses[status] += 1
            done = status in (200, 201)
            (self.acknowledged if done else self.doubtful).append(request)
        return done

    def send_again(self) -> None:
        """Send what is in doubt again, until it is acknowledged."""
        give_up = monotonic() + 2 * CLAIM
        left = list(dict.fromkeys(self.doubtful))
        while left and monotonic() < give_up:
            left = [each for each in left if not self._sent(each)]
            sleep(1 if left else 0)
        self.doubtful = left


# -- what is there -----------------------------------------------------------------------------


def look_through(bench: Bench, writers: Writers, result: Result) -> None:
    """Look for what was acknowledged, and for halves, just after the last kill."""
    with bench.merit.database.reading() as session:
        lost = missing(session, writers.acknowledged)
        halves = half_written(session, writers.doubtful)
    result.note("acknowledged writes", len(writers.acknowledged))
    result.note("of them lost", len(lost), lost[:5])
    result.note("writes in doubt", len(writers.doubtful))
    result.note("half written", len(halves), halves[:5])
    others = {status: n for status, n in writers.statuses.items() if status not in (0, 200, 201)}
    result.note("other answers", sum(others.values()), others)


def look_at_end(bench: Bench, writers: Writers, result: Result) -> None:
    """Look through everything once all is done that was begun."""
    left = writers.doubtful
    result.note("sent again and still in doubt", len(left), left[:5])
    with bench.merit.database.reading() as session:
        lost = missing(session, writers.acknowledged)
        result.note("lost after all was sent again", len(lost), lost[:5])
        posts = {each.name for each in writers.acknowledged if each.name is not None}
        recorded = _number(
            session,
            HistoryEntry.verb == "activities.recorded",
            HistoryEntry.actor.like("key:%"),
        )
        again = recorded - len(posts)
        result.note("recorded twice", again, again)
        halves = without_entry(session)
        result.note("rows without their entry, or the reverse", len(halves), halves[:5])
        failed = list(session.execute(select(Job.key).where(Job.failures > 0)).scalars())
        result.note("jobs taken", session.execute(select(func.sum(Job.fence))).scalar_one())
        result.note("jobs failed", len(failed), failed)
        try:
            result.note("entries of the history verified", verify(session).size)
        except HistoryBroken as error:
            result.note("entries of the history verified", "broken", error)


def _number(session: Session, *where: Any) -> int:
    return session.execute(select(func.count(HistoryEntry.sequence)).where(*where)).scalar_one()


def without_entry(session: Session) -> list[str]:
    """Return decisions and clients that the history does not speak of, or has too much of.

    That activities are those their entry speaks of, the verification itself says.
    """
    entries = Counter(
        session.execute(
            select(HistoryEntry.object).where(
                HistoryEntry.verb.in_(["client.decided", "client.stated"])
            )
        ).scalars()
    )
    decided = session.execute(select(Decision.id)).scalars()
    rows = Counter({f"decision:{each}": 1 for each in decided})
    for each in session.execute(select(Client.subject, Client.version)):
        if each.version:
            rows[f"client:{each.subject}"] = each.version
    return [*((entries - rows) + (rows - entries))]


def compare(bench: Bench, importer: Importer, folder: Path, result: Result) -> None:
    """Compare the end with that of a run in which nothing was killed."""
    ends = [end_of(bench)]
    with company("sqlite", folder) as other:
        undisturbed, evaluator = Importer(other, Random(0)), Evaluator(other, Random(0))
        for undisturbed.file in range(importer.file + 1):
            undisturbed.to_the_end()
        evaluator.to_the_end()
        ends.append(end_of(other))
    (activities, standings), (wanted, standing) = ends
    result.note("activities imported", len(activities))
    differing = set(activities) ^ set(wanted)
    result.note("unlike a run without kills", len(differing), sorted(differing)[:5])
    others = [each for each in standing.items() if standings.get(each[0]) != each[1]]
    result.note("standings compared", len(standing), None if standing else "none")
    result.note("unlike those without kills", len(others), others[:5])


def end_of(bench: Bench) -> tuple[list[str], dict[str, Any]]:
    """Return the imported activities, and how their clients stand, without random names."""
    with bench.merit.database.reading() as session:
        rows = session.execute(
            select(
                Activity.source,
                Activity.external_id,
                Client.reference,
                Activity.kind,
                Activity.day,
                Activity.amount,
            )
            .join(Client, Client.id == Activity.client_id)
            .where(Activity.source.like("file_%"))
        )
        activities = [repr(tuple(row)) for row in rows]
        standings = {}
        for reference, answer in session.execute(
            select(Client.reference, Standing.answer)
            .join(Client, Client.id == Standing.client_id)
            .where(Client.reference.like("B-%"))
        ):
            said: Any = loads(answer)
            standings[reference] = {name: said[name] for name in said if name != "decision"}
    return activities, standings


def missing(session: Session, acknowledged: list[Request]) -> list[str]:
    """Return what was acknowledged and is not there."""
    rows = session.execute(select(Client.reference, Client.name))
    clients = {each.reference: each.name for each in rows}
    till = session.execute(select(Activity.external_id).where(Activity.source == "till"))
    activities = set(till.scalars())
    return [
        str(each)
        for each in acknowledged
        if (
            clients.get(each.client) != each.client
            if each.name is None
            else any(sold["id"] not in activities for sold in each.sold)
        )
    ]


def half_written(session: Session, doubtful: list[Request]) -> list[str]:
    """Return the requests of which some is there and some is not."""
    till = session.execute(select(Activity.external_id).where(Activity.source == "till"))
    activities = set(till.scalars())
    found = []
    for each in doubtful:
        if each.name is not None:
            there = sum(sold["id"] in activities for sold in each.sold)
            if there not in (0, len(each.sold)):
                found.append(f"{each}: {there}")
    return found


if __name__ == "__main__":
    sys.exit(main())
