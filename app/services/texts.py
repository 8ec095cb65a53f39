"""Texts that people write: there, not too long, and such as every database can keep."""

from __future__ import annotations

from collections.abc import Iterator

from app.services.errors import Invalid
from rules.document import Problem
from rules.messages import Message

LONGEST_REASON = 4000
"""Characters in a reason or a comment."""


def require_reason(field: str, text: str) -> None:
    """Refuse to do something without a reason, or for one that cannot be kept.

    :raises Invalid: naming the field.
    """
    if problems := list(text_problems(field, text, LONGEST_REASON)):
        raise Invalid(problems)


def text_problems(field: str, text: str, longest: int) -> Iterator[Problem]:
    """Say what is wrong with a text, if anything is."""
    if not text.strip():
        yield Problem(field, Message("is missing"))
    if len(text) > longest:
        yield Problem(field, Message("must be at most %(n)d characters long", n=longest))
    if not all(each.isprintable() or each.isspace() for each in text):
        yield Problem(field, Message("must hold nothing but characters that can be read"))
