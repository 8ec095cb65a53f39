"""The measurement of ways to lose a tier, on a slice of the real clients: its counts obey laws."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest

from bench.demotion import COUNTED, MONTHS, WAYS, Happened, Lived, live, table, transactions

pytestmark = pytest.mark.slow

APRIL, SEPTEMBER = "2011-04", "2011-09"
REVIEWED = MONTHS[3:]
"""From April on: that review finds all that was sold before."""


def paused() -> list[dict[str, str]]:
    """Return what is known of those who bought three times by April, and not until September."""
    rows = transactions()
    sales = [(row["customer_id"], row["date"][:7]) for row in rows if row["kind"] == "sale"]
    before = Counter(client for client, month in sales if month <= APRIL)
    since = {client for client, month in sales if APRIL < month <= SEPTEMBER}
    chosen = {client for client, number in before.items() if number >= 3} - since
    return [row for row in rows if row["customer_id"] in chosen]


@pytest.fixture(scope="module")
def lived() -> dict[str, Lived]:
    return {way: live(way, paused(), REVIEWED) for way in WAYS}


def histories(lived: Lived) -> list[list[Happened]]:
    """Return what happened to each client, in order."""
    found = defaultdict(list)
    for each in lived.events:
        found[each.client].append(each)
    return list(found.values())


def days(history: list[Happened], kind: str) -> list[date]:
    return [each.day for each in history if each.kind == kind]


def test_in_each_way_some_rise_and_some_fall(lived: dict[str, Lived]) -> None:
    for each in lived.values():
        assert each.count("promoted") > each.count("demoted") > 0
    assert lived["stepwise"].count("regained") > 0


def test_who_falls_at_once_is_told_nothing(lived: dict[str, Lived]) -> None:
    told = [lived["immediate"].count(what) for what in ("notices", "withdrawals", "regained")]

    assert told == [0, 0, 0]


@pytest.mark.parametrize(("way", "least"), [("deferred", 60), ("stepwise", 90)])
def test_nobody_falls_without_a_notice_or_sooner_than_it_says(
    way: str, least: int, lived: dict[str, Lived]
) -> None:
    assert lived[way].count("notices") >= lived[way].count("demoted")
    for history in histories(lived[way]):
        told = [each for each in history if each.kind in ("notice_given", "demoted")]
        for place, each in enumerate(told):
            if each.kind == "demoted":
                assert told[place - 1].kind == "notice_given"
                assert each.day - told[place - 1].day >= timedelta(days=least)


def test_a_notice_ends_in_a_fall_or_in_the_tier_regained_or_goes_on(
    lived: dict[str, Lived],
) -> None:
    for way in ("deferred", "stepwise"):
        for history in histories(lived[way]):
            ends = len(days(history, "demoted")) + len(days(history, "reinstated"))
            assert 0 <= len(days(history, "notice_given")) - ends <= 1


def test_benefits_are_withdrawn_after_the_notice_and_before_the_fall(
    lived: dict[str, Lived],
) -> None:
    assert lived["deferred"].count("withdrawals") == 0
    for history in histories(lived["stepwise"]):
        for fall in days(history, "demoted"):
            [noticed] = [day for day in days(history, "notice_given") if day < fall][-1:]
            taken = [day for day in days(history, "benefit_withdrawn") if noticed < day < fall]
            assert len(taken) == 2


def test_the_same_clients_are_counted_in_each_way(lived: dict[str, Lived]) -> None:
    assert len({sum(each.holders.values()) for each in lived.values()}) == 1


def test_the_table_has_a_row_for_each_month_and_adds_up(lived: dict[str, Lived]) -> None:
    head, _, *rows, sums = (line.strip("| ").split(" | ") for line in table(lived, REVIEWED))

    assert len(head) == 1 + len(COUNTED) * len(WAYS)
    assert [row[0] for row in rows] == [f"2011-{month:02}" for month in range(4, 13)]
    for number, *column in zip(sums[1:], *(row[1:] for row in rows), strict=True):
        assert int(number) == sum(map(int, column))


def test_another_run_comes_to_the_same(lived: dict[str, Lived]) -> None:
    again = live("stepwise", paused(), REVIEWED)

    assert [each[:4] for each in again.events] == [each[:4] for each in lived["stepwise"].events]
    assert again.holders == lived["stepwise"].holders
