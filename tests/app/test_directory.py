"""Clients are found by how they are called and how they stand, page by page."""

from __future__ import annotations

from datetime import date

import pytest

from app.services import directory
from app.services.authority import Actor
from app.services.clients import Stated, put_client
from app.services.directory import AT_ONCE, Sought, held, search
from app.services.errors import NotAllowed
from app.services.standings import decide
from app.words import Words
from rules import standing
from tests.app.company import Company
from tests.app.granting import END, TODAY, erase, given

TILL = Actor("key:till")
NAMES = {
    "A-1": "Maria Stuart",
    "A-2": "Żaneta Ćwik",
    "A_3": "100% Coffee Ltd",
    "B-1": "Stuart & Sons",
    "B-2": None,
}


@pytest.fixture
def filled(company: Company) -> Company:
    for reference, name in NAMES.items():
        with company.merit.acting(TILL) as act:
            put_client(act, reference, Stated(name), TODAY)
    return company


def found(company: Company, text: str = "", by: str = "max", **wanted: str) -> list[str]:
    with company.merit.database.reading() as session:
        sought = Sought(text, **wanted)
        return [each.reference for each in search(session, company.actor(by), sought).clients]


@pytest.mark.parametrize(
    ("text", "references"),
    [
        ("", [*NAMES]),
        ("a-", ["A-1", "A-2"]),
        ("A_", ["A_3"]),
        (" stuart ", ["A-1", "B-1"]),
        ("tuart", []),
        ("ćwik", ["A-2"]),
        ("ŻANETA", ["A-2"]),
        ("100%", ["A_3"]),
        ("%", []),
        ("B-2", ["B-2"]),
        ("Nobody", []),
    ],
)
def test_clients_are_found_by_how_reference_and_names_begin(
    filled: Company, text: str, references: list[str]
) -> None:
    assert sorted(found(filled, text)) == sorted(references)


def decided(company: Company, references: list[str]) -> None:
    with company.merit.acting(TILL) as act:
        ids = [put_client(act, each, Stated(NAMES[each]), TODAY)[0].id for each in references]
        decide(act, company.merit.rulebook, ids, TODAY, Words())


def test_clients_are_found_by_tier_and_state(filled: Company) -> None:
    given(filled, standing.Measure("exact", TODAY, END, "gold"), "A-1")
    decided(filled, ["A-1", "A-2"])
    assert found(filled, tier="gold") == ["A-1"]
    assert found(filled, state="overridden") == ["A-1"]
    assert found(filled, tier="gold", state="secure") == []
    assert found(filled, state="secure") == ["A-2"]
    assert found(filled, "stuart", tier="gold") == ["A-1"]


def test_pages_follow_each_other_without_gaps(company: Company) -> None:
    references = [f"N-{number:03}" for number in range(2 * AT_ONCE + 1)]
    for reference in references:
        with company.merit.acting(TILL) as act:
            put_client(act, reference, Stated(), TODAY)
    seen, sizes, after = list[str](), list[int](), ""
    while True:
        with company.merit.database.reading() as session:
            page = search(session, company.actor("max"), Sought(), after)
        sizes.append(len(page.clients))
        seen += [each.reference for each in page.clients]
        if page.after is None:
            break
        after = page.after
    assert sizes == [AT_ONCE, AT_ONCE, 1]
    assert seen == references


def test_who_was_erased_is_not_found(filled: Company) -> None:
    erase(filled, "A-1")
    assert "A-1" not in found(filled)
    assert "A-1" not in found(filled, "Maria")


def test_administrators_do_not_read_about_clients(filled: Company) -> None:
    with pytest.raises(NotAllowed):
        found(filled, by="anna")


def test_who_holds_what_is_counted_as_last_decided(filled: Company) -> None:
    with filled.merit.database.reading() as session:
        assert held(session) == directory.Held({}, {}, len(NAMES), None)
    given(filled, standing.Measure("exact", TODAY, END, "gold"), "A-1")
    decided(filled, ["A-1", "A-2"])
    with filled.merit.database.reading() as session:
        counted = held(session)
    assert counted.tiers["gold"] == 1
    assert sum(counted.tiers.values()) == 2
    assert counted.states == {"overridden": 1, "secure": 1}
    assert counted.undecided == len(NAMES) - 2
    assert counted.oldest == date(2026, 7, 1)
