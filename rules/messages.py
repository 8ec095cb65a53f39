"""Sentences with places to fill in: made here in English, put into other languages by ``app``."""

from __future__ import annotations

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


def N_(template: str) -> str:  # noqa: N802 - gettext's own name for marking a text
    """Mark a template for translation where it stands apart from its :class:`Message`."""
    return template
