"""Sentences with places to fill in: made here in English, put into other languages by ``app``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


class Message(str):
    """An English sentence that remembers its template and what was filled in.

    ``Message("%(metric)s is not a metric", metric="spend")`` reads as its English text anywhere
    a string is wanted; ``id`` (the template, which is also the gettext message id) and
    ``params`` let the application say it in another language, with numbers and dates as that
    language writes them.
    """

    __slots__ = ("id", "params")
    id: str
    params: dict[str, object]

    def __new__(cls, id_: str, /, **params: object) -> Self:
        message = super().__new__(cls, id_ % params)
        message.id = id_
        message.params = params
        return message


@dataclass(frozen=True, slots=True)
class Listed:
    """Several things to be written as the reader's language strings them together."""

    parts: tuple[object, ...]
    joined: str = "and"

    def __str__(self) -> str:
        texts = [str(part) for part in self.parts]
        return f" {self.joined} ".join(
            [", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts
        )


def alternatives(words: Sequence[object]) -> Listed | str:
    """Return what there is to choose from; a dash if there is nothing."""
    return Listed(tuple(words), "or") if words else "-"


def N_(template: str) -> str:  # noqa: N802 - gettext's own name for marking a text
    """Mark a template for translation where it stands apart from its :class:`Message`."""
    return template
