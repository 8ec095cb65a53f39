"""A letter as commands print it."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import click


class Written(Protocol):
    """What is printed of a letter, whether it is kept or only rehearsed."""

    @property
    def event(self) -> str: ...
    @property
    def language(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...


def show_letter(day: date, letter: Written) -> None:
    """Print a letter as people read it."""
    click.echo(f"== {day.isoformat()}  {letter.event}  {letter.language}")
    click.echo(f"{letter.subject}\n\n{letter.text}\n")
