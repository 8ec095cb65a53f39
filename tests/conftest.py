"""What holds for every test."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("dev", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the browser: its tests take minutes, and at the end one worker would wait."""
    items.sort(key=lambda item: "browser" not in item.path.parts)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that is skipped has not passed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and reporter.stats.get("skipped"):
        reporter.write_line("\nFailed: no test may be skipped.")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
