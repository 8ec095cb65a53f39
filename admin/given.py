"""What readers ask for in addresses and forms, taken only as far as it can be anything."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from flask import request

from app.services.errors import Invalid, NotThere
from app.services.tables import REFERENCE
from rules.document import Problem
from rules.messages import Message

NUMBER = "<int(min=1, max=2147483647):number>"
"""A number of something in an address: no larger than one can be in a table."""


def asked(name: str) -> str:
    """Return what an address asks for, without what cannot be read; empty if it does not."""
    return _readable(request.args.get(name, ""))


def chosen(name: str, among: Collection[str]) -> str | None:
    """Return which of several an address names; None if none of them."""
    return text if (text := asked(name)) in among else None


def asked_number(name: str) -> int | None:
    """Return the number that an address asks for; None if it is none."""
    text = asked(name)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 17 else None


def asked_day(name: str) -> date | None:
    """Return the day that an address asks for; None if it asks for none.

    :raises Invalid: if it is none.
    """
    return _day(name, asked(name))


def written(name: str) -> str:
    """Return what a form says, its ends trimmed."""
    return request.form.get(name, "").strip()


def written_day(name: str) -> date:
    """Return the day that a form says.

    :raises Invalid: if there is none.
    """
    found = _day(name, written(name))
    if found is None:
        raise Invalid([Problem(name, Message("is missing"))])
    return found


def known_reference(reference: str) -> str:
    """Return a reference out of an address.

    :raises NotThere: if no client can have it.
    """
    if not REFERENCE.fullmatch(reference):
        raise NotThere("There is nothing under this address.")
    return reference


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid([Problem(name, Message("must be a date such as 2026-07-31"))]) from error


def _readable(text: str) -> str:
    return "".join(each for each in text if each.isprintable()).strip()[:200]
