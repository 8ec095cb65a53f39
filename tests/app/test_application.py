"""Settings, the clock, and the application that servers start."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import wsgi
from app import create_app
from app.clock import business_date, system_clock
from app.config import Config
from app.merit import merit
from app.services.policies import NoPolicy, PolicyUnusable, Rulebook
from tests.app.asking import EXAMPLE, NOW


@pytest.mark.parametrize("environment", [{}, {"MERIT_POLICY": ""}, {"merit_policy": "x.json"}])
def test_without_a_setting_there_is_no_policy(environment: dict[str, str]) -> None:
    assert Config.from_environment(environment) == Config(policy_file=None)


def test_the_policy_is_the_file_that_is_named() -> None:
    found = Config.from_environment({"MERIT_POLICY": "rules/vip.json", "PATH": "/bin"})

    assert found == Config(policy_file=Path("rules/vip.json"))


def test_the_application_reads_the_environment_unless_it_is_given_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MERIT_POLICY", "vip.json")

    with create_app().app_context():
        assert merit().config.policy_file == Path("vip.json")
    with create_app(Config()).app_context():
        assert merit().config.policy_file is None


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


def test_a_server_starts_with_a_policy_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MERIT_POLICY", str(EXAMPLE))

    assert wsgi.serve().test_client().get("/readyz").status_code == 200


def test_a_server_does_not_start_without_a_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MERIT_POLICY", raising=False)

    with pytest.raises(NoPolicy):
        wsgi.serve()


def test_a_server_does_not_start_with_a_policy_that_is_not_valid_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(EXAMPLE.read_bytes().replace(b'"GBP"', b'"pounds"'))
    monkeypatch.setenv("MERIT_POLICY", str(path))

    with pytest.raises(PolicyUnusable, match="currency: must be"):
        wsgi.serve()


def test_whoever_asks_first_makes_the_policy_ready_and_the_others_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interpreter of the trial's child is the real one, behind a script that keeps count."""
    interpreter, starts = tmp_path / "python", tmp_path / "starts"
    interpreter.write_text(f'#!/bin/sh\necho started >> {starts}\nexec {sys.executable} "$@"\n')
    interpreter.chmod(0o700)
    monkeypatch.setattr("sys.executable", str(interpreter))
    rulebook = Rulebook(EXAMPLE)

    with ThreadPoolExecutor(8) as pool:
        found = [each.result() for each in [pool.submit(rulebook.in_force) for _ in range(8)]]

    assert starts.read_text() == "started\n"
    assert all(each is found[0] for each in found)
