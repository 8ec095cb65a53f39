"""Each of nine real programmes is written with the editor's own forms, and is the same document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from admin import create_pages
from rules.document.strict_json import digest, loads
from tests.admin.visiting import Visitor
from tests.admin.writing import Writer, write_all
from tests.app.company import company_in
from tests.programmes.test_programmes import HERE

SMALL = ("delta_medallion", "sephora_beauty_insider")
PROGRAMMES = sorted(each.stem for each in HERE.glob("*.json"))


def test_there_are_nine_programmes() -> None:
    assert len(PROGRAMMES) == 9
    assert {*SMALL} < {*PROGRAMMES}


@pytest.mark.parametrize(
    "programme",
    [each if each in SMALL else pytest.param(each, marks=pytest.mark.slow) for each in PROGRAMMES],
)
def test_a_real_programme_is_written_with_forms_alone(programme: str, tmp_path: Path) -> None:
    target: Any = loads((HERE / f"{programme}.json").read_bytes())
    place = {"currency": target["currency"], "time_zone": target["time_zone"]}
    with company_in("sqlite", tmp_path, demo=True, **place) as company:
        edith = Visitor(create_pages(company.merit).test_client(), company).sign_in("edith")
        edith.post("/drafts/new", start="empty", languages=["en"])
        writer = Writer(edith, 1)

        write_all(writer, target)

        assert writer.document == target
        assert digest(writer.document) == digest(target)
