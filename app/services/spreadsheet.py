"""Tables for spreadsheets, in which nothing that somebody wrote becomes a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\0")
"""With what a cell begins that a spreadsheet may take for a formula."""


def neutral(cell: str) -> str:
    """Return a cell's text such that every spreadsheet takes it for a text."""
    return f"'{cell}" if cell.startswith(_BEGINNINGS) else cell


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a table as a file that spreadsheets read, in UTF-8 with its mark in front."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    for row in (header, *rows):
        writer.writerow([neutral(each) for each in row])
    return text.getvalue().encode("utf-8-sig")
