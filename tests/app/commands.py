"""Commands run as people run them, and what they said."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import Result

from tests.app.asking import served
from tests.app.company import Company, email

Run = Callable[..., Result]
"""Runs a command, as the person ``by`` if one is named; their password is in its variable."""


def commands_of(company: Company, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs the commands of a company, whatever the environment says."""
    monkeypatch.delenv("MERIT_PASSWORD", raising=False)
    runner = served(company).test_cli_runner()

    def running(*args: object, by: str | None = None, **environment: str) -> Result:
        words = [str(each) for each in args]
        if by is not None:
            words += ["--as", email(by)]
            environment.setdefault("MERIT_PASSWORD", company.passwords[by])
        result = runner.invoke(args=words, env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    return running


def said(result: Result) -> str:
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout.rstrip("\n")


def refused(result: Result, words: str) -> None:
    assert result.exit_code != 0, result.output
    assert result.stdout == ""
    assert re.search(words, result.stderr), result.stderr
    assert "Traceback" not in result.stderr
