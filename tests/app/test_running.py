"""The whole program as it is run: under its server, in processes of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter

import pytest

import wsgi
from app.clock import system_clock
from app.services.authority import Scope
from app.services.keys import Terms, create_key
from tests.app.asking import ROOT
from tests.app.company import Company
from tests.databases import Place

SERVER = [
    *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "wsgi:serve"),
    *("--host", "127.0.0.1", "--blocking-threads", "2", "--log-config", "granian.json"),
]
PATIENCE = 60.0
"""Seconds after which a process that says nothing has failed; it is never waited for otherwise."""


class Served:
    """A server process, where it listens, and what it logs."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process, self.port = process, port
        self.seen: list[str] = []

    def wait_for(self, event: str) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.seen.append(line)
            if event in line:
                return
        raise AssertionError("".join(self.seen))

    def ask(
        self, method: str, path: str, key: str, body: object = None, **headers: str
    ) -> tuple[int, bytes]:
        connection = self.connected()
        headers["Authorization"] = f"Bearer {key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def connected(self) -> HTTPConnection:
        """Connect, as soon as it listens: it says so a moment too early."""
        until = perf_counter() + PATIENCE
        while True:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                connection.connect()
            except ConnectionRefusedError:
                assert perf_counter() < until
            else:
                return connection

    def stop(self) -> str:
        """End the server as an operator does, and return all it logged."""
        self.process.terminate()
        _, rest = self.process.communicate(timeout=PATIENCE)
        return "".join(self.seen) + rest


def environment(place: Place, secret: Path) -> dict[str, str]:
    """Return a process's environment, with nothing of ours in it but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERIT_")}
    return {**kept, "MERIT_DATABASE": place.service, "MERIT_SECRET_FILE": os.fspath(secret)}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(settings: Mapping[str, str]) -> Iterator[Served]:
    """Run the server until the block ends."""
    port = free_port()
    process = subprocess.Popen(
        [*SERVER, "--port", str(port)],
        cwd=ROOT,
        env=settings,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    served = Served(process, port)
    try:
        served.wait_for("Started worker-1")
        yield served
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its workers too, or they keep the pipe open
        process.communicate()


@pytest.fixture
def key(company: Company) -> str:
    """A key that is good by the clock on the wall, by which a process of its own goes."""
    company.clock.now = system_clock()
    with company.merit.acting(company.actor("anna")) as act:
        terms = Terms("process", tuple(Scope), timedelta(days=1))
        return create_key(act, company.merit.secret, terms).text


@pytest.fixture
def settings(company: Company) -> dict[str, str]:
    return environment(company.place, company.merit.config.secret_file)


# -- what is logged ----------------------------------------------------------------------------

CLIENT = {
    "name": "Secretive Sibyl",
    "attributes": {"line": "hidden_line"},
    "contacts": [{"key": "director", "name": "Clandestine Clive"}],
}
ACTIVITY = {
    "source": "till",
    "id": "hush-1",
    "client": "SECRET-17",
    "kind": "sale",
    "date": "2026-06-01",
    "amount": 987654321,
}
PRIVATE = ("SECRET-17", "Sibyl", "Clive", "hidden_line", "hush-1", "987654321", "someone@")


def test_the_log_has_one_line_for_each_request_and_names_nobody(
    company: Company, key: str, settings: dict[str, str]
) -> None:
    with serving(settings) as server:
        asked = [
            server.ask("PUT", "/api/v1/clients/SECRET-17", key, CLIENT)[0],
            server.ask("POST", "/api/v1/activities", key, [ACTIVITY])[0],
            server.ask("POST", "/api/v1/activities", key, [{**ACTIVITY, "amount": 1}])[0],
            server.ask("GET", "/api/v1/clients/SECRET-17/standing", key)[0],
            server.ask("GET", "/api/v1/clients/someone@example.com/standing", key)[0],
            server.ask("GET", "/SECRET-17?client=SECRET-17", key)[0],
            server.ask("GET", "/api/v1/policy", "merit_SECRET-17")[0],
        ]
        log = server.stop()

    lines = [json.loads(line) for line in log.splitlines()]
    assert asked[0] == 201
    assert 409 in asked
    assert [each["status"] for each in lines if each["event"] == "request"] == asked
    for text in (*PRIVATE, key, company.passwords["anna"]):
        assert text not in log


def test_what_went_wrong_is_logged_without_what_was_sent(
    company: Company, key: str, settings: dict[str, str]
) -> None:
    with company.merit.owner.migrating() as connection:
        connection.exec_driver_sql("DROP TABLE contact_persons")
    with serving(settings) as server:
        status, answer = server.ask("PUT", "/api/v1/clients/SECRET-17", key, CLIENT)
        log = server.stop()

    assert status >= 500
    for text in PRIVATE:
        assert text not in log
        assert text not in answer.decode()
    assert all(json.loads(line) for line in log.splitlines())


# -- stopping ----------------------------------------------------------------------------------


def test_a_server_told_to_stop_answers_what_it_has_begun_and_ends_at_once(
    key: str, settings: dict[str, str]
) -> None:
    body = json.dumps({"facts": {"revenue_12m": 0}}).encode()
    head = (
        "POST /api/v1/evaluations HTTP/1.1\r\nHost: merit\r\nExpect: 100-continue\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with serving(settings) as server, closing(server.connected()) as connection:
        line = connection.sock
        line.sendall(head.encode())
        assert line.recv(1024).startswith(b"HTTP/1.1 100 ")  # now the application reads
        server.process.send_signal(signal.SIGTERM)
        server.wait_for("Stopping worker-1")
        line.sendall(body)
        answer = b"".join(iter(lambda: line.recv(65536), b""))
        answered = perf_counter()
        status = server.process.wait(PATIENCE)
        seconds = perf_counter() - answered

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert status == 0
    assert seconds < 5


# -- refusing to start -------------------------------------------------------------------------


def threads_of(served: Served) -> int:
    """Count the threads of a server's worker."""
    pid = served.process.pid
    [worker] = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return len(list(Path(f"/proc/{worker}/task").iterdir()))


@pytest.mark.slow
def test_a_server_outlives_its_threads(settings: dict[str, str], key: str) -> None:
    """It ends those that have been idle; nothing of ours may run as one of them goes away."""
    path = "/api/v1/clients/C-17/standing"
    with serving({**settings, "GRANIAN_BLOCKING_THREADS_IDLE_TIMEOUT": "5"}) as served:
        with ThreadPoolExecutor(8) as pool:
            asked = list(pool.map(lambda _: served.ask("GET", path, key)[0], range(200)))
        assert set(asked) == {404}
        busy, until = threads_of(served), perf_counter() + PATIENCE

        while threads_of(served) == busy:
            assert perf_counter() < until
        assert served.ask("GET", path, key)[0] == 404


def refused(settings: Mapping[str, str]) -> str:
    """Return why a server does not start: one sentence in its log, and no traceback."""
    process = subprocess.run(
        [*SERVER, "--port", str(free_port())],
        cwd=ROOT,
        env=settings,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.returncode == 1, process.stderr
    lines = [json.loads(line) for line in process.stderr.splitlines()]
    [said] = [each["detail"] for each in lines if each["event"] == "not_started"]
    assert "Traceback" not in process.stderr
    return str(said)


def test_it_does_not_start_on_a_database_that_is_not_set_up(place: Place, tmp_path: Path) -> None:
    said = refused(environment(place, tmp_path / "secret"))

    assert said == "This database is not set up: run flask setup, or flask demo to try Merit out."


def test_it_does_not_start_on_another_versions_tables(
    company: Company, settings: dict[str, str]
) -> None:
    with company.merit.owner.migrating() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    assert "flask database upgrade" in refused(settings)


def test_it_does_not_start_with_a_secret_that_others_can_read(
    company: Company, settings: dict[str, str], tmp_path: Path
) -> None:
    secret = tmp_path / "readable"
    secret.write_bytes(company.merit.config.secret_file.read_bytes())
    secret.chmod(0o640)

    said = refused({**settings, "MERIT_SECRET_FILE": os.fspath(secret)})

    assert said == f"Others can read {secret}: chmod 600 it."


def test_it_does_not_start_without_its_secret(settings: dict[str, str], tmp_path: Path) -> None:
    said = refused({**settings, "MERIT_SECRET_FILE": os.fspath(tmp_path / "none")})

    assert "cannot be read" in said


def test_it_does_not_start_as_a_role_that_could_change_the_history(
    company: Company, settings: dict[str, str]
) -> None:
    if company.place.owner is None:  # SQLite knows no roles
        return
    said = refused({**settings, "MERIT_DATABASE": company.place.owner})

    assert "could change the history" in said


def test_it_does_not_start_without_a_database_that_answers(tmp_path: Path) -> None:
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/nowhere"

    said = refused(environment(Place("postgresql", nowhere), tmp_path / "secret"))

    assert said == "The database that MERIT_DATABASE names does not answer."


# -- a demo ------------------------------------------------------------------------------------


def test_a_demo_answers_only_who_asks_from_its_own_machine(
    company: Company, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with company.merit.owner.migrating() as connection:
        connection.exec_driver_sql("UPDATE installation SET demo = true")
    for name in ("MERIT_DATABASE", "MERIT_SECRET_FILE"):
        monkeypatch.setenv(name, settings[name])
    app = wsgi.serve()

    def asked_from(address: str) -> int:
        asking = app.api.test_client()
        return asking.get("/livez", environ_base={"REMOTE_ADDR": address}).status_code

    try:
        assert {asked_from(each) for each in ("127.0.0.1", "127.8.8.8", "::1")} == {200}
        strangers = ("192.168.1.7", "10.0.0.1", "100.64.0.1", "203.0.113.9", "0.0.0.0", "fe80::1")  # noqa: S104
        assert {asked_from(each) for each in (*strangers, "")} == {403}
    finally:
        app.api.extensions["merit"].database.close()


# -- make run ----------------------------------------------------------------------------------


def make_run(
    folder: Path, port: int, stop: Callable[[subprocess.Popen[str]], None]
) -> tuple[list[str], str, tuple[int, object]]:
    """Run the demo until it answers, stop it, and return what it printed, logged and answered."""
    process = subprocess.Popen(
        [
            *("make", "-o", "install", "run", f"VAR={folder}", f"PORT={port}"),
            *(f"VENV={sys.prefix}", "DEMO=--clients 30"),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    served = Served(process, port)
    try:
        for each in ("Started worker-1", "worker_started"):
            if each not in "".join(served.seen):
                served.wait_for(each)
        status, answer = served.ask("GET", "/readyz", "")
        stop(process)
        printed, log = process.communicate(timeout=PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return printed.splitlines(), "".join(served.seen) + log, (status, json.loads(answer))


def interrupt(process: subprocess.Popen[str]) -> None:
    """Do what Ctrl-C does in a terminal."""
    os.killpg(process.pid, signal.SIGINT)


@pytest.mark.slow
def test_make_run_makes_a_demo_once_serves_it_and_stops_whole(tmp_path: Path) -> None:
    folder, port = tmp_path / "var", free_port()

    first, log, answer = make_run(folder, port, subprocess.Popen.terminate)
    again, later, same = make_run(folder, port, interrupt)

    assert answer == same == (200, {"status": "ready"})
    assert f"Merit: http://127.0.0.1:{port}/ (Ctrl-C stops it)" in first
    assert any("Sign in there" in line for line in first)
    assert (
        f"The demo of before, from {folder}/merit.db; {folder}/demo.txt says what to try." in again
    )
    assert not any("Sign in there" in line for line in again)
    for each in (log, later):
        assert "worker_stopped" in each
        assert "Granian shutdown completed" in each
    files = {each.name for each in folder.iterdir()} - {"merit.db-wal", "merit.db-shm"}
    assert files == {"demo.txt", "merit.db", "secret"}
