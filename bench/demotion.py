"""What three ways of losing a tier come to over a year of real transactions.

Run as ``python -m bench.demotion``; prints the tables of docs/demotion.md, the same at every run,
and fails where the page shows others.  The company lives through the year: at each month's end it
imports what was sold since the last, and reviews its clients.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from app.models import Client, Standing, StandingEvent
from bench.company import WHOLESALE, found
from rules.document.strict_json import loads
from tests.app.company import SetClock
from tests.shared import SHARED

TRANSACTIONS = SHARED / "data" / "online_retail_transactions.csv"
PAGE = Path(__file__).parents[1] / "docs" / "demotion.md"
YEAR = 2011
MONTHS = tuple(
    date(YEAR + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(1, 13)
)
"""The days on which the company reviews its clients."""

_COLUMNS = ("customer_id", "date", "transaction_id", "kind", "amount")
_BENEFITS = ("no_queue", "free_delivery")
_NOTICE = {"kind": "notice"}
_DEMOTE = {"kind": "demote", "to": "entitled"}
WAYS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "immediate": (),
    "deferred": (_NOTICE, {**_DEMOTE, "days": 60}),
    "stepwise": (
        _NOTICE,
        *({"kind": "withdraw", "days": 30, "benefits": [each]} for each in _BENEFITS),
        {**_DEMOTE, "days": 30},
    ),
}
"""The ways in which a tier is lost, by their steps."""

COUNTED: Mapping[str, Collection[str]] = {
    "promoted": ("promoted",),
    "notices": ("notice_given",),
    "withdrawals": ("benefit_withdrawn",),
    "demoted": ("demoted",),
    "regained": ("renewed", "reinstated"),
}
"""What is counted, by the events it shows in; several of one decision count once."""


class Happened(NamedTuple):
    """Something that happened to a client's standing; tiers are from 0 for the lowest."""

    client: str
    day: date
    kind: str
    tier: int
    decision: str


@dataclass(frozen=True, slots=True)
class Lived:
    """What a year came to: all that happened, in order, and how many hold which tier after it."""

    events: tuple[Happened, ...]
    holders: Mapping[str, int]

    def count(self, what: str, month: date | None = None) -> int:
        """Return how often something happened, in a month or in all."""
        return len(
            {
                each.decision
                for each in self.events
                if each.kind in COUNTED[what] and month in (None, each.day)
            }
        )

    def returned(self) -> int:
        """Return how many demotions were undone: the client reached as high a tier later."""
        fallen: dict[str, int] = {}
        undone = 0
        held: Counter[str] = Counter()
        for each in self.events:
            if each.kind == "demoted":
                fallen[each.client] = held[each.client]
            elif each.kind == "promoted" and each.tier >= fallen.get(each.client, each.tier + 1):
                undone += 1
                del fallen[each.client]
            held[each.client] = each.tier
        return undone


def main() -> int:
    """Live the year in each way, print the tables, and return 0 if the page shows the same."""
    rows = transactions()
    lived = {way: live(way, rows, MONTHS) for way in WAYS}
    printed = "\n".join([*table(lived, MONTHS), "", *summary(lived)])
    print(printed)
    if is_shown := printed in PAGE.read_text(encoding="utf-8"):
        print(f"\n{PAGE.name} shows the same.")
    else:
        print(f"\n{PAGE.name} shows other tables: put these into it.")
    return int(not is_shown)


def transactions() -> list[dict[str, str]]:
    """Return the real transactions, one for each invoice."""
    with TRANSACTIONS.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def live(way: str, rows: Sequence[dict[str, str]], months: Sequence[date]) -> Lived:
    """Live through some months in a company of its own, and return what happened."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        clock = SetClock(datetime(YEAR, 1, 1, tzinfo=UTC))
        merit = found(folder, document(way), clock).merit
        app = create_app(merit.config, clock)
        before = date.min
        for month in months:
            clock.now = datetime(month.year, month.month, month.day, 22, tzinfo=UTC)
            new = [each for each in rows if before < date.fromisoformat(each["date"][:10]) <= month]
            _import(app, folder / f"{month}.csv", new)
            _run(app, "review", "--date", month.isoformat(), "--only")
            before = month
        with merit.database.reading() as session:
            lived = _lived(session, [each["key"] for each in document(way)["tiers"]])
        merit.database.close()
        merit.owner.close()
    return lived


def _lived(session: Session, tiers: Sequence[str]) -> Lived:
    columns = (StandingEvent.day, StandingEvent.kind, StandingEvent.tier, StandingEvent.decision_id)
    happened = session.execute(
        select(Client.reference, *columns)
        .join(Client)
        .order_by(StandingEvent.day, Client.reference, StandingEvent.id)
    )
    events = tuple(
        Happened(client, day, kind, tiers.index(tier), decision)
        for client, day, kind, tier, decision in happened
    )
    held = Counter(session.execute(select(Standing.held)).scalars())
    return Lived(events, {tier: held[tier] for tier in reversed(tiers)})


def document(way: str) -> Any:
    """Return the wholesale example with its tiers lost in a way; all else is the same in each."""
    example: Any = loads(WHOLESALE.read_bytes())
    for part in ("letters", "promotion", "demotion_policies"):
        del example[part]
    for tier in example["tiers"][1:]:
        tier["benefits"] = [{"key": each, "name": {"en": each}} for each in _BENEFITS]
        tier.pop("demotion")
        if WAYS[way]:
            tier["demotion"] = way
    if WAYS[way]:
        example["demotion_policies"] = [{"key": way, "name": {"en": way}, "steps": [*WAYS[way]]}]
    return example


def _import(app: Flask, path: Path, rows: Sequence[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, _COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    columns = ("--column", "client=customer_id", "--column", "id=transaction_id")
    _run(app, "import", "activities", str(path), "--source", "shop", "--add-clients", *columns)


def _run(app: Flask, *arguments: str) -> None:
    result = app.test_cli_runner().invoke(args=arguments)
    assert result.exit_code == 0, result.output


def table(lived: Mapping[str, Lived], months: Sequence[date]) -> Iterator[str]:
    """Yield the lines of the table: a row for each month, and the sums."""
    heads = [f"{what}: {way}" if way == "immediate" else way for what in COUNTED for way in lived]
    yield _row("month", *heads)
    yield _row("---", *("---:" for _ in heads))
    for month in months:
        yield _row(f"{month:%Y-%m}", *_counts(lived, month))
    yield _row("**in all**", *_counts(lived))


def _counts(lived: Mapping[str, Lived], month: date | None = None) -> Iterator[int]:
    return (each.count(what, month) for what in COUNTED for each in lived.values())


def summary(lived: Mapping[str, Lived]) -> Iterator[str]:
    """Yield the lines of a second table: how it stands in the end."""
    yield _row("in the end", *lived)
    yield _row("---", *("---:" for _ in lived))
    for tier in next(iter(lived.values())).holders:
        yield _row(f"clients who hold {tier}", *(each.holders[tier] for each in lived.values()))
    yield _row("demotions undone by a later rise", *(each.returned() for each in lived.values()))


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    sys.exit(main())
