"""What several commands take and show: dates, columns, progress, and how many hold which tier."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import Any

import click
from marshmallow import ValidationError

from app.services.jobs import LEASE
from app.words import Words
from rules.document.fields import read_day
from rules.messages import Message


class DayParameter(click.ParamType[date]):
    """A date, as ISO 8601 writes it."""

    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        try:
            return read_day(str(value))
        except ValidationError as error:
            self.fail(str(error.messages[0]), param, ctx)


class Pair(click.ParamType[tuple[str, str]]):
    """One thing that stands for another, such as ``FIELD=COLUMN``."""

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        first, equals, second = str(value).partition("=")
        if not equals:
            self.fail(Message("must be %(form)s", form=self.name), param, ctx)
        return first, second


lease_option = click.option(
    "--lease",
    type=click.FloatRange(1, 3600),
    default=LEASE.total_seconds(),
    show_default=True,
    help="Seconds without a sign of life after which another takes a job over.",
)


@contextmanager
def bar(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Show progress on standard error, where a person watches it."""
    with click.progressbar(length=length, label=label, file=sys.stderr) as shown:
        yield partial(shown.update)


def show_tiers(counts: Mapping[str, int], *, err: bool = False) -> None:
    """Print how many hold what, and what share of all that is."""
    total = sum(counts.values())
    click.echo(Words().say(Message("Clients judged: %(count)d", count=total)), err=err)
    for key, count in counts.items():
        click.echo(f"  {key:<24}{count:>9}{100 * count / max(total, 1):>7.1f} %", err=err)
