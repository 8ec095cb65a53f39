"""Tables for spreadsheets: every text stays a text."""

from __future__ import annotations

import csv
from io import StringIO

import pytest

from app.services.spreadsheet import csv_bytes, neutral


@pytest.mark.parametrize("beginning", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_what_would_be_a_formula_is_a_text(beginning: str) -> None:
    assert neutral(f"{beginning}1+1") == f"'{beginning}1+1"
    assert neutral(f"a{beginning}") == f"a{beginning}"


def test_what_is_written_is_read_again_whatever_it_is() -> None:
    rows = [["plain", 'with "quotes", commas', "two\nlines"], ["", "Ґанок", "'a"], ["=1", "@", "-"]]
    content = csv_bytes(["One", "Two", "Three"], rows)
    assert content.startswith(b"\xef\xbb\xbf")
    found = [*csv.reader(StringIO(content.decode("utf-8-sig"), newline=""))]
    assert found == [["One", "Two", "Three"], *rows[:2], ["'=1", "'@", "'-"]]
