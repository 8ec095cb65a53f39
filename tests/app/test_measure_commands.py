"""The commands ``measure``: asked for, granted, refused, withdrawn, ended and listed."""

from __future__ import annotations

import re

import pytest

from tests.app.commands import Run, commands_of, refused, said
from tests.app.company import Company
from tests.app.granting import client, every_phase, measure

ASK = ("measure", "ask", "C-17", "hold", "--last", "2026-07-31", "--reason", "A flood.")


@pytest.fixture
def run(company: Company, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_of(company, monkeypatch)


def test_a_hold_is_asked_for_granted_and_ended(run: Run, company: Company) -> None:
    client(company)
    assert said(run(*ASK, by="max")) == "Measure 1 waits for somebody to grant it."
    assert said(run("measure", "list")) == (
        "   1  C-17            hold                2026-07-01 to 2026-07-31  asked      "
        "max@example.com\n      A flood."
    )
    grant = ("measure", "grant", 1, "--comment", "True.")
    assert said(run(*grant, by="paul")) == "Measure 1 is granted."
    assert said(run("measure", "list")) == ""
    assert "in force   max@" in said(run("measure", "list", "C-17"))
    company.clock.advance(days=3)
    end = ("measure", "end", 1, "--reason", "It is dry.")
    assert said(run(*end, by="max")) == "Measure 1 is ended; today is judged without it."
    assert "2026-07-01 to 2026-07-03  over" in said(run("measure", "list", "C-17"))


def test_an_override_is_asked_for_with_its_tier_and_days(run: Run, company: Company) -> None:
    client(company)
    days = ("--first", "2026-07-10", "--last", "2026-07-20")
    why = ("--reason", "Two\nlines.")
    said(run("measure", "ask", "C-17", "floor", "--tier", "gold", *days, *why, by="edith"))

    listed = said(run("measure", "list", "C-17"))
    assert "floor gold          2026-07-10 to 2026-07-20  asked      edith@" in listed
    assert listed.endswith("\n      Two lines.")
    refuse = ("measure", "refuse", 1, "--comment", "No.")
    assert said(run(*refuse, by="paul")) == "Measure 1 is refused."
    run(*ASK, by="max")
    withdraw = ("measure", "withdraw", 2, "--comment", "No more.")
    assert said(run(*withdraw, by="max")) == "Measure 2 is withdrawn."


def test_every_phase_is_listed_in_words(run: Run, company: Company) -> None:
    every_phase(company)

    lines = said(run("measure", "list", "C-17")).splitlines()[::2]
    phases = [re.split(r"  +", line.strip())[-2] for line in lines]
    assert phases == ["over", "in force", "refused", "withdrawn", "asked", "over", "granted"]


def test_what_is_refused_is_said_in_a_sentence_and_changes_nothing(
    run: Run, company: Company
) -> None:
    client(company)
    run(*ASK, by="max")
    rest = ("--last", "2026-07-31", "--reason", "Why.")

    for args, by, words in (
        (ASK[1:], "olga", "takes the role editor or manager, which you do not have"),
        (("ask", "C-18", "hold", *rest), "max", "There is no client C-18"),
        (("ask", "C-17", "hold", *rest, "--first", "2026-06-30"), "max", "first: must not be bef"),
        (("ask", "C-17", "hold", *rest, "--first", "1 July"), "max", "Invalid value for '--first'"),
        (("ask", "C-17", "hold", "--last", "2026-07-31"), "max", "Missing option '--reason'"),
        (("ask", "C-17", "hold", "--reason", "Why."), "max", "Missing option '--last'"),
        (("ask", "C-17", "gift", *rest), "max", "'gift' is not one of 'hold', 'floor'"),
        (("ask", "C-17", "floor", *rest), "max", "tier: must be one of standard"),
        (("grant", 1, "--comment", "x"), "max", "takes the role approver"),
        (("grant", 1, "--comment", " "), "paul", "comment: is missing"),
        (("grant", 2, "--comment", "x"), "paul", "There is no measure 2"),
        (("withdraw", 1, "--comment", "x"), "edith", "Who asked for it withdraws it"),
        (("end", 1, "--reason", "x"), "paul", "only while it is granted"),
        (("end", 0, "--reason", "x"), "paul", "not in the range"),
        (("list", "C-18"), None, "There is no client C-18"),
    ):
        refused(run("measure", *args, by=by), words)
    assert measure(company, 1).state == "asked"
    assert "   2  " not in said(run("measure", "list"))
