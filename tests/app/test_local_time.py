"""Local times as people write them: those that come never or twice are asked about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.services.errors import Invalid
from app.services.local_time import NotOnce, read_instant

LONDON = "Europe/London"


def test_a_local_time_is_an_instant() -> None:
    found = read_instant("at", "2026-07-01T09:00", LONDON)

    assert found == datetime(2026, 7, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "choices"),
    [
        ("2026-03-29T01:30", ("2026-03-29T00:30:00+00:00", "2026-03-29T02:30:00+01:00")),
        ("2026-10-25T01:30", ("2026-10-25T01:30:00+01:00", "2026-10-25T01:30:00+00:00")),
    ],
    ids=["never", "twice"],
)
def test_what_comes_never_or_twice_is_asked_about(written: str, choices: tuple[str, str]) -> None:
    with pytest.raises(NotOnce) as asked:
        read_instant("at", written, LONDON)

    assert asked.value.choices == choices
    assert asked.value.is_twice == written.startswith("2026-10")
    earlier, later = (read_instant("at", each, LONDON) for each in choices)
    assert earlier < later


def test_what_is_no_time_is_refused_without_choices() -> None:
    with pytest.raises(Invalid) as refused:
        read_instant("at", "soon", LONDON)

    assert not isinstance(refused.value, NotOnce)
