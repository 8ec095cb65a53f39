"""Groups of clients: who is in which on a day, what it does to others, and what is kept of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.models import Client, HistoryEntry, Subject
from app.services.authority import SYSTEM
from app.services.clients import Stated, client_named, put_client
from app.services.groups import Groups, Membered, membered, put_group
from app.services.history import read_input
from rules.document.strict_json import loads
from rules.measure import Client as Recorded
from rules.measure import Statement
from tests.app.asking import served
from tests.app.company import Company
from tests.app.dealings import happened, sale, stated

TODAY = date(2026, 7, 1)
DAY = timedelta(days=1)
ANN_AND_BEN = Membered(("ann", "ben"), "ann")


@pytest.fixture
def company(new_company: Company) -> Company:
    """A company with three clients, of whom nothing is stated."""
    for each in ("ann", "ben", "cleo"):
        with new_company.merit.acting(SYSTEM) as act:
            put_client(act, each, Stated(), TODAY)
    return new_company


def put(company: Company, membership: Membered, day: date = TODAY, reference: str = "F-1") -> None:
    with company.merit.acting(SYSTEM) as act:
        put_group(act, reference, membership, day)


def versions(company: Company) -> dict[str, int]:
    """Return the version of each client's facts."""
    with company.merit.database.reading() as session:
        rows = session.execute(select(Client.reference, Client.facts_version))
        return {each.reference: each.facts_version for each in rows}


def moved(company: Company, before: dict[str, int]) -> set[str]:
    """Return whose facts have moved since."""
    return {name for name, version in versions(company).items() if version > before[name]}


def with_whom(company: Company, reference: str, day: date) -> tuple[set[str], bool] | None:
    """Return with whom a client is in a group on a day, and whether they head it."""
    with company.merit.database.reading() as session:
        client = client_named(session, reference).id
        groups = Groups.of(session, [client])
        names = {each.id: each.reference for each in session.execute(select(Client)).scalars()}
        everybody = {client, *groups.members}
        marked = {each: Recorded({names[each]: [Statement(day, 1)]}) for each in everybody}
        group = groups.joined(client, marked, day).group
    if group is None:
        return None
    return {next(iter(each.statements)) for each in group.others}, group.is_head


def test_members_are_together_from_their_day_on(company: Company) -> None:
    put(company, ANN_AND_BEN, TODAY - 9 * DAY)
    put(company, Membered(("ann", "ben", "cleo"), "cleo"), TODAY - DAY)
    put(company, Membered(("ben", "cleo"), "cleo"), TODAY)

    assert with_whom(company, "ann", TODAY - 10 * DAY) is None
    assert with_whom(company, "ann", TODAY - 9 * DAY) == ({"ben"}, True)
    assert with_whom(company, "ben", TODAY - 2 * DAY) == ({"ann"}, False)
    assert with_whom(company, "ann", TODAY - DAY) == ({"ben", "cleo"}, False)
    assert with_whom(company, "cleo", TODAY - DAY) == ({"ann", "ben"}, True)
    assert with_whom(company, "ann", TODAY) is None
    assert with_whom(company, "ben", TODAY) == ({"cleo"}, False)


def test_of_two_groups_one_after_the_other_each_has_its_days(company: Company) -> None:
    put(company, ANN_AND_BEN, TODAY - 9 * DAY)
    put(company, Membered(("ann",), "ann"), TODAY)
    put(company, Membered(("cleo", "ben"), "ben"), TODAY, "F-2")

    assert with_whom(company, "ben", TODAY - DAY) == ({"ann"}, False)
    assert with_whom(company, "ben", TODAY) == ({"cleo"}, True)
    assert with_whom(company, "ann", TODAY) == (set(), True)


def test_who_has_been_erased_counts_for_nobody(company: Company) -> None:
    put(company, ANN_AND_BEN)
    with company.merit.owner.writing() as session:
        ben = select(Client.subject).where(Client.reference == "ben")
        session.execute(delete(Subject).where(Subject.id.in_(ben)))

    assert with_whom(company, "ann", TODAY) == (set(), True)
    with company.merit.acting(SYSTEM) as act:
        group, _ = put_group(act, "F-1", Membered(("ann", "cleo"), "ann"), TODAY)
        assert membered(act.session, group) == Membered(("ann", "cleo"), "ann")


def test_all_who_were_members_or_are_now_are_due(company: Company) -> None:
    before = versions(company)
    put(company, ANN_AND_BEN)
    assert moved(company, before) == {"ann", "ben"}

    before = versions(company)
    put(company, ANN_AND_BEN)
    assert moved(company, before) == set()

    put(company, Membered(("ann", "cleo"), "ann"))
    assert moved(company, before) == {"ann", "ben", "cleo"}

    before = versions(company)
    put(company, Membered(("ann", "cleo"), "cleo"))
    assert moved(company, before) == {"ann", "cleo"}


def test_what_is_recorded_of_a_member_makes_the_others_due(company: Company) -> None:
    app = served(company)
    put(company, ANN_AND_BEN)

    before = versions(company)
    happened(app, sale(1, client="ben"))
    assert moved(company, before) == {"ann", "ben"}

    before = versions(company)
    stated(app, "ann", potential=5)
    assert moved(company, before) == {"ann", "ben"}

    put(company, Membered(("ann",), "ann"))
    before = versions(company)
    happened(app, sale(2, client="ben"), sale(3, client="cleo"))
    assert moved(company, before) == {"ben", "cleo"}


def test_the_history_keeps_of_each_only_their_own_membership(company: Company) -> None:
    put(company, ANN_AND_BEN)
    put(company, Membered(("ann", "cleo"), "ann"))

    with company.merit.database.reading() as session:
        wanted = HistoryEntry.object.startswith("group:")
        leaves = session.execute(
            select(HistoryEntry.leaf).where(wanted).order_by(HistoryEntry.sequence)
        ).scalars()
        entries: list[Any] = [loads(leaf) for leaf in leaves]
        clients = session.execute(select(Client)).scalars()
        kept = {
            each.reference: read_input(session, entries[-1]["object"], each.subject)
            for each in clients
        }
    assert [each["verb"] for each in entries] == ["group.founded", "group.changed"]
    assert entries[-1]["details"] == {"day": "2026-07-01", "members": 2}
    assert kept == {
        "ann": {"is_member": True, "is_head": True},
        "ben": {"is_member": False, "is_head": False},
        "cleo": {"is_member": True, "is_head": False},
    }
    assert not any("F-1" in str(each) or "cleo" in str(each) for each in entries)


def test_who_was_never_in_a_group_is_measured_alone(company: Company) -> None:
    assert with_whom(company, "cleo", TODAY) is None
