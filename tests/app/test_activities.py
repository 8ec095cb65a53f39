"""Activities as a service: recorded once, all or none, partly, taken out by voids, kept equal."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from app.database import retried
from app.models import Activity, Client, HistoryEntry
from app.services.activities import (
    NewActivity,
    Sorted,
    batch,
    content,
    digested,
    record_activities,
)
from app.services.authority import SYSTEM
from app.services.recorded import recorded_of
from app.services.verification import verify
from tests.app.company import Company

DAY = date(2026, 6, 30)


def sale(name: str, client: str = "C-1", amount: int = 100, **more: Any) -> NewActivity:
    return NewActivity("till", name, client, "sale", DAY, amount=amount)._replace(**more)


def void(name: str, of: str, client: str = "C-1") -> NewActivity:
    return NewActivity("till", name, client, "void", DAY, voids=of)


def recorded(
    company: Company, *activities: NewActivity, partly: bool = False, add: bool = True
) -> Sorted:
    with company.merit.acting(SYSTEM) as act:
        return record_activities(act, activities, partly=partly, add_missing=add)


def number(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(Activity)).scalar_one()


def why(result: Sorted) -> dict[int, str]:
    return {place: str(each.message) for place, each in result.refused.items()}


def test_if_one_is_refused_none_is_recorded(company: Company) -> None:
    assert why(recorded(company, sale("1"), void("2", of="9"))) == {
        1: "voids names no activity of this source"
    }
    assert number(company) == 0


def test_partly_what_is_not_refused_is_recorded(company: Company) -> None:
    result = recorded(company, sale("1"), void("2", of="9"), sale("3"), partly=True)
    assert (result.new, list(result.refused)) == ([0, 2], [1])
    assert number(company) == 2


def test_the_same_again_is_known_and_another_content_is_a_conflict(company: Company) -> None:
    recorded(company, sale("1"))
    result = recorded(company, sale("1"), sale("1", amount=7), partly=True)
    assert (result.new, result.known) == ([], [0])
    assert result.refused[1].conflict


def test_clients_nobody_has_heard_of_are_refused_unless_they_are_to_be_added(
    company: Company,
) -> None:
    refused = recorded(company, sale("1"), add=False)
    assert why(refused) == {0: "client is not known; it has to be stated first"}
    assert recorded(company, sale("1")).new == [0]


def test_a_void_takes_an_activity_out_wherever_the_two_stand(company: Company) -> None:
    result = recorded(company, void("2", of="1"), sale("1"), sale("3", amount=5))
    assert result.new == [0, 1, 2]
    with company.merit.database.reading() as session:
        client = session.execute(select(Client.id)).scalar_one()
        [left] = recorded_of(session, [client])[client].activities
    assert left.amount == 5


def test_voids_are_refused_that_make_no_sense(company: Company) -> None:
    recorded(company, sale("1"), sale("2"), sale("3", "C-2"), void("4", of="1"))
    result = recorded(
        company,
        void("5", of="4"),
        void("6", of="3"),
        void("7", of="1"),
        void("8", of="2")._replace(voids=None),
        sale("9", voids="2"),
        void("10", of="2"),
        void("11", of="2"),
        partly=True,
    )
    assert result.new == [5]
    assert why(result) == {
        0: "voids names a void, which cannot be taken out",
        1: "voids names an activity of another client",
        2: "voids names what is taken out already",
        3: "voids must be there for the kind void, and only for it",
        4: "voids must be there for the kind void, and only for it",
        6: "voids names what is taken out already",
    }


def test_two_at_once_under_one_name_make_one_winner(company: Company) -> None:
    def work(client: str) -> Sorted:
        return retried(lambda: recorded(company, sale("1", client)))

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(work, ["C-1", "C-2"]))
    assert sorted(len(each.new) for each in found) == [0, 1]
    assert sorted(each.conflict for one in found for each in one.refused.values()) == [True]
    assert number(company) == 1


@pytest.mark.parametrize("quantity", [10**15, Decimal("-0.000000000001"), Decimal("1.50"), 0])
def test_what_is_recorded_comes_back_as_it_was_told(
    company: Company, quantity: int | Decimal
) -> None:
    told = sale(
        "1",
        at=datetime(2026, 6, 30, 23, 59, 59, 123456, UTC),
        amount=-(10**15),
        quantity=quantity,
        product="Лампа",
        channel="shop",
        attributes={"stars": Decimal("4.5"), "gift": True, "n": 1},
    )
    recorded(company, told)
    with company.merit.database.reading() as session:
        verify(session)
        name = session.execute(
            select(HistoryEntry.object).where(HistoryEntry.verb == "activities.recorded")
        ).scalar_one()
        [[found]] = batch(session, name.removeprefix("activities:")).values()
    assert content(found) == content(told)
    assert recorded(company, told).known == [0]


def test_what_the_history_digests_of_an_activity_keeps_its_form_for_ever() -> None:
    """Another form, and no history begun before would verify any more."""
    at = datetime(2026, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    said = NewActivity(
        *("till", "A-1", "C-17", "sale", date(2026, 6, 1), at, -1250, Decimal("2.50")),
        *("tea", "shop", {"vip": True, "n": 3}),
    )

    assert digested([said]) == (
        b"[('till', 'A-1', 'C-17', 'sale', '2026-06-01', '2026-06-01T10:00:00+00:00', -1250, "
        b"'2.5', 'tea', 'shop', b'{\"n\":3,\"vip\":true}', None)]"
    )
