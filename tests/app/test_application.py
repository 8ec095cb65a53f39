"""Settings, the clock, and the application that servers start."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import make_url, update

import wsgi
from app import create_app
from app.clock import business_date, system_clock
from app.config import DATABASE, SECRET_FILE, Config
from app.merit import merit
from app.models import Installation
from app.schema import downgrade
from app.services.policies import PolicyInForce
from app.services.rulebook import Rulebook
from tests.app.company import NOW, Company
from tests.databases import Place


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"MERIT_DATABASE": "", "MERIT_DATABASE_OWNER": "", "MERIT_SECRET_FILE": ""},
        {"merit_database": "sqlite:///x.db", "MERIT_POLICY": "x.json"},
    ],
)
def test_without_settings_all_is_kept_in_var(environment: dict[str, str]) -> None:
    found = Config.from_environment(environment)

    assert found == Config(database=DATABASE, owner=None, secret_file=SECRET_FILE)
    assert Path(make_url(found.database).database or "").parent == found.secret_file.parent


def test_the_settings_are_those_that_are_named() -> None:
    environment = {
        "MERIT_DATABASE": "postgresql://merit@db/merit",
        "MERIT_DATABASE_OWNER": "postgresql://owner@db/merit",
        "MERIT_SECRET_FILE": "/run/secrets/merit",
        "MERIT_HOOK_NETWORKS": "10.1.0.0/16",
        "PATH": "/bin",
    }

    assert Config.from_environment(environment) == Config(
        database="postgresql://merit@db/merit",
        owner="postgresql://owner@db/merit",
        secret_file=Path("/run/secrets/merit"),
        hook_networks="10.1.0.0/16",
    )


def test_the_application_reads_the_environment_unless_it_is_given_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MERIT_DATABASE", "sqlite:///elsewhere.db")

    with create_app().app_context():
        assert merit().config.database == "sqlite:///elsewhere.db"
    with create_app(Config()).app_context():
        assert merit().config.database == DATABASE


def test_the_application_goes_by_the_clock_it_is_given() -> None:
    with create_app(Config(), lambda: NOW).app_context():
        assert merit().clock() == NOW


def test_the_clock_tells_the_present_instant_in_utc() -> None:
    before = datetime.fromtimestamp(0, UTC)
    now = system_clock()

    assert now.utcoffset() == timedelta(0)
    assert before < now <= system_clock()


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-07-01T11:59:59+00:00", "Pacific/Auckland", "2026-07-01"),
        ("2026-07-01T12:00:00+00:00", "Pacific/Auckland", "2026-07-02"),
        ("2026-07-01T06:59:59+00:00", "America/Los_Angeles", "2026-06-30"),
        ("2026-07-01T07:00:00+00:00", "America/Los_Angeles", "2026-07-01"),
        ("2026-01-01T07:59:59+00:00", "America/Los_Angeles", "2025-12-31"),
        ("2026-03-29T21:59:59+00:00", "Europe/Kyiv", "2026-03-30"),
        ("2026-03-29T20:59:59+00:00", "Europe/Kyiv", "2026-03-29"),
        ("2026-07-01T23:00:00-05:00", "UTC", "2026-07-02"),
    ],
)
def test_the_business_date_is_that_of_the_companys_zone(instant: str, zone: str, day: str) -> None:
    at = datetime.fromisoformat(instant)

    assert business_date(lambda: at, zone) == date.fromisoformat(day)


def test_a_clock_without_a_zone_is_no_clock() -> None:
    with pytest.raises(ValueError, match="offset"):
        business_date(lambda: datetime(2026, 7, 1), "UTC")  # noqa: DTZ001 - what is refused


# -- what a server starts with ---------------------------------------------------------------


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The applications that servers made here, whether they started or not; they are closed."""
    apps: list[Flask] = []

    def make() -> Flask:
        apps.append(create_app())
        return apps[-1]

    monkeypatch.setattr(wsgi, "create_app", make)
    yield
    for app in apps:
        app.extensions["merit"].database.close()


@pytest.fixture
def environment(company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """A company with a policy in force, as the environment names it."""
    config = company.merit.config
    monkeypatch.setenv("MERIT_DATABASE", config.database)
    monkeypatch.setenv("MERIT_SECRET_FILE", str(config.secret_file))
    return company


@pytest.fixture
def readable(environment: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Company:
    """Return a company whose secret everybody on its machine can read."""
    path = tmp_path / "readable"
    path.write_bytes(environment.merit.config.secret_file.read_bytes())
    path.chmod(0o644)
    monkeypatch.setenv("MERIT_SECRET_FILE", str(path))
    return environment


def not_started(capsys: pytest.CaptureFixture[str], why: str) -> None:
    """A server is not made, the process would end, and the log says why."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        wsgi.serve()
    said = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert ended.value.code == 1
    assert said["event"] == "not_started"
    assert why in said["detail"]


@pytest.mark.usefixtures("environment")
def test_a_server_starts_over_an_installation_that_is_set_up() -> None:
    app = wsgi.serve()

    assert app.api.test_client().get("/readyz").status_code == 200


@pytest.mark.usefixtures("environment")
def test_a_server_does_not_start_over_a_database_without_tables(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MERIT_DATABASE", place.service)

    not_started(capsys, "flask setup")


def test_a_server_does_not_start_over_the_tables_of_another_version(
    environment: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    with environment.merit.owner.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")

    not_started(capsys, "flask database upgrade")


def test_a_server_does_not_start_over_an_installation_taken_back_to_nothing(
    environment: Company, capsys: pytest.CaptureFixture[str]
) -> None:
    downgrade(environment.merit.owner)

    not_started(capsys, "flask setup")


@pytest.mark.usefixtures("readable")
def test_a_server_does_not_start_with_a_secret_that_others_can_read(
    capsys: pytest.CaptureFixture[str],
) -> None:
    not_started(capsys, "chmod 600")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(("content", "why"), [(None, "cannot be read"), ("short", "too short")])
def test_a_server_does_not_start_with_a_secret_that_is_none(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: str | None,
    why: str,
) -> None:
    path = tmp_path / "none"
    monkeypatch.setenv("MERIT_SECRET_FILE", str(path))
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)

    not_started(capsys, why)


def test_a_server_does_not_start_as_a_role_that_could_change_the_history(
    environment: Company, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On SQLite there are no roles: only the triggers stand in the way."""
    place = environment.place
    monkeypatch.setenv("MERIT_DATABASE", place.owner or place.service)

    if place.owner is None:
        assert wsgi.serve()
    else:
        not_started(capsys, "could change the history")


def test_a_demo_starts_all_the_same(environment: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    place = environment.place
    monkeypatch.setenv("MERIT_DATABASE", place.owner or place.service)
    with environment.merit.database.writing() as session:
        session.execute(update(Installation).values(demo=True))

    app = wsgi.serve()

    assert app.api.test_client().get("/livez").status_code == 200


def test_whoever_asks_first_makes_the_policy_ready_and_the_others_wait(company: Company) -> None:
    rulebook = Rulebook()

    def ask(_: int) -> PolicyInForce:
        with company.merit.database.reading() as session:
            return rulebook.in_force(session)

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(ask, range(8))

    assert all(each is first for each in others)
