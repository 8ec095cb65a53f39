"""Holds and overrides: asked for by one, granted by another, with a reason and an end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, settings
from hypothesis import given as over
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.exc import IntegrityError

from app.models import Client, HistoryEntry, Measure
from app.services import measures
from app.services.authority import Role
from app.services.errors import Conflict, Invalid, NotActionable, NotAllowed, NotThere, Refused
from app.services.history import read_input
from app.services.measures import KINDS, Shown, last_day, phase
from app.services.people import ask_role, grant_role
from app.services.rulebook import NoPolicy
from app.services.verification import verify
from rules import standing
from rules.document.strict_json import loads
from tests.app.asking import EXAMPLE
from tests.app.company import Company, email
from tests.app.dealings import racing, replacing
from tests.app.granting import (
    END,
    GOLD,
    HOLD,
    TODAY,
    asked,
    client,
    ended,
    erase,
    every_phase,
    given,
    granted,
    measure,
    refused,
    withdrawn,
)

DAY = timedelta(days=1)
VERBS: dict[str, Callable[[Company, int], None]] = {
    "granted": granted,
    "refused": refused,
    "withdrawn": withdrawn,
    "ended": ended,
}


@pytest.fixture
def here(company: Company) -> Company:
    """A company with a client."""
    client(company)
    return company


def everything(company: Company) -> list[list[Any]]:
    """Return all that is stored of measures, how often facts changed, and the history."""
    with company.merit.database.reading() as session:
        return [
            [tuple(row) for row in session.execute(select(*columns)).all()]
            for columns in (
                Measure.__table__.columns,
                (Client.id, Client.facts_version),
                HistoryEntry.__table__.columns,
            )
        ]


def effective(company: Company, reference: str = "C-17") -> tuple[standing.Measure, ...]:
    """Return what the rules are given of a client."""
    with company.merit.database.reading() as session:
        its = session.execute(select(Client.id).where(Client.reference == reference)).scalar_one()
        return measures.granted(session, [its])[its]


def facts_version(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(Client.facts_version)).scalar_one()


def verbs(company: Company, number: int) -> list[str]:
    with company.merit.database.reading() as session:
        found = session.execute(
            select(HistoryEntry.verb)
            .where(HistoryEntry.object == f"measure:{number}")
            .order_by(HistoryEntry.sequence)
        ).scalars()
        return [each.removeprefix("measure.") for each in found]


def problems(company: Company, wanted: standing.Measure) -> dict[str, str]:
    """Return what is wrong with what somebody asks for, by field; nothing is changed by it."""
    before = everything(company)
    with pytest.raises(Invalid) as raised:
        asked(company, wanted)
    assert everything(company) == before
    return {each.path: str(each.message) for each in raised.value.problems}


def with_role(company: Company, name: str, role: Role) -> None:
    with company.merit.acting(company.actor("anna")) as act:
        ask_role(act, email(name), role, "Short of people.")
    with company.merit.acting(company.actor("ben")) as act:
        grant_role(act, email(name), role)


# -- the life of a measure -------------------------------------------------------------------------


def test_what_is_granted_is_in_force_and_nothing_else_is(here: Company) -> None:
    number = asked(here)
    assert effective(here) == ()

    granted(here, number)

    assert effective(here) == (HOLD,)
    found = measure(here, number)
    assert (found.reason, found.decided_because) == ("A flood.", "It was on the news.")
    assert (found.asked_at, found.decided_at) == (here.clock(), here.clock())
    assert found.decided_by == here.actor("paul").person_id
    assert found.asked_by == here.actor("max").person_id


@pytest.mark.parametrize("kind", ["floor", "ceiling", "exact"])
def test_an_override_is_granted_with_its_tier(here: Company, kind: Any) -> None:
    wanted = replace(GOLD, kind=kind)
    given(here, wanted)

    assert effective(here) == (wanted,)


def test_what_is_refused_or_withdrawn_never_counts(here: Company) -> None:
    refused(here, asked(here))
    withdrawn(here, asked(here))

    assert effective(here) == ()
    assert facts_version(here) == 0


def test_who_is_held_is_decided_anew_when_it_is_granted_and_when_it_is_ended(
    here: Company,
) -> None:
    number = asked(here)
    assert facts_version(here) == 0
    granted(here, number)
    assert facts_version(here) == 1
    ended(here, number)
    assert facts_version(here) == 2


def test_each_way_is_gone_once_and_only_from_where_it_begins(here: Company) -> None:
    starts: dict[str, int] = {}
    for state in ("refused", "withdrawn"):
        starts[state] = asked(here)
        VERBS[state](here, starts[state])
    starts["granted"] = given(here)
    starts["ended"] = given(here, replace(HOLD, first=TODAY + DAY))
    ended(here, starts["ended"])
    before = everything(here)

    for state, number in starts.items():
        assert measure(here, number).state == state
        for verb, do in VERBS.items():
            if (state, verb) != ("granted", "ended"):
                with pytest.raises(NotActionable, match=f"Measure {number} is {state}"):
                    do(here, number)
    assert everything(here) == before
    with pytest.raises(NotActionable, match="is asked for; this is possible only while it is gra"):
        ended(here, asked(here, GOLD))


def test_a_measure_nobody_asked_for_is_not_there(here: Company) -> None:
    for verb in VERBS.values():
        with pytest.raises(NotThere, match="no measure 17"):
            verb(here, 17)
    with pytest.raises(NotThere, match="no client C-18"):
        asked(here, reference="C-18")


# -- two people ------------------------------------------------------------------------------------


def test_who_asked_does_not_decide_whatever_roles_they_have(here: Company) -> None:
    with_role(here, "edith", Role.APPROVER)
    number = asked(here, by="edith")
    before = everything(here)

    for decide in (granted, refused):
        with pytest.raises(NotAllowed, match="somebody else has to decide"):
            decide(here, number, by="edith")
    assert everything(here) == before
    granted(here, asked(here, GOLD, by="max"), by="edith")
    granted(here, number)


def test_the_database_does_not_take_a_grant_by_who_asked(here: Company) -> None:
    number = asked(here)

    with pytest.raises(IntegrityError), here.merit.database.writing() as session:
        session.execute(text("UPDATE measures SET state = 'granted', decided_by = asked_by"))
    assert measure(here, number).state == "asked"


def test_only_who_asked_withdraws(here: Company) -> None:
    number = asked(here, by="max")

    for name in ("edith", "paul"):
        with pytest.raises(NotAllowed):
            withdrawn(here, number, by=name)
    assert measure(here, number).state == "asked"


def test_who_asked_ends_it_and_so_does_an_approver_and_nobody_else(here: Company) -> None:
    first, second = given(here), given(here, GOLD)

    for name in ("edith", "olga", "anna"):
        with pytest.raises(NotAllowed):
            ended(here, first, by=name)
    ended(here, first, by="max")
    ended(here, second, by="petra")
    assert effective(here) == ()


# -- what is asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "last", "wrong"),
    [
        (TODAY, TODAY, {}),
        (TODAY, date(2027, 6, 30), {}),
        (date(2027, 6, 30), date(2027, 6, 30), {}),
        (TODAY - DAY, END, {"first": "must not be before today, 2026-07-01"}),
        (TODAY + DAY, TODAY, {"last": "must not be before the first day"}),
        (TODAY, date(2027, 7, 1), {"last": "must be 2027-06-30 or earlier; ask again then"}),
        (date.min, date.min, {"first": "must not be before today, 2026-07-01"}),
        (
            date.max,
            date.min,
            {"last": "must not be before the first day"},
        ),
    ],
)
def test_it_begins_today_or_later_and_ends_within_a_year(
    here: Company, first: date, last: date, wrong: dict[str, str]
) -> None:
    wanted = standing.Measure("hold", first, last)
    if wrong:
        assert problems(here, wanted) == wrong
    else:
        given(here, wanted)
        assert phase(measure(here, 1), first) == "in_force"


def test_today_is_that_of_the_company_s_own_time_zone(here: Company) -> None:
    here.clock.now = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)  # the second, in London

    assert problems(here, HOLD) == {"first": "must not be before today, 2026-07-02"}


def test_an_override_names_a_tier_of_the_policy_in_force_and_a_hold_none(here: Company) -> None:
    unknown = {"tier": "must be one of standard, silver, gold or platinum"}

    assert problems(here, replace(GOLD, tier="diamond")) == unknown
    assert problems(here, replace(GOLD, tier=None)) == unknown
    assert "must be left out" in problems(here, replace(HOLD, tier="gold"))["tier"]


def test_all_that_is_wrong_is_told_at_once(here: Company) -> None:
    wanted = standing.Measure("floor", TODAY - DAY, TODAY - 2 * DAY)

    assert set(problems(here, wanted)) == {"tier", "first", "last"}


def test_an_override_takes_a_policy_and_a_hold_does_not(new_company: Company) -> None:
    client(new_company)

    with pytest.raises(NoPolicy):
        asked(new_company, GOLD)
    given(new_company, HOLD)


@pytest.mark.parametrize("said", ["", " \n", "x" * 4001, "a\0b", "\x1b[2J"])
def test_every_step_takes_a_reason_that_can_be_kept(here: Company, said: str) -> None:
    waiting, running = asked(here), given(here, GOLD)
    rulebook = here.merit.rulebook
    before = everything(here)

    for by, field, verb in (
        ("max", "reason", lambda act: measures.ask(act, rulebook, "C-17", HOLD, said)),
        ("paul", "comment", lambda act: measures.grant(act, rulebook, waiting, said)),
        ("paul", "comment", lambda act: measures.refuse(act, waiting, said)),
        ("max", "comment", lambda act: measures.withdraw(act, waiting, said)),
        ("max", "reason", lambda act: measures.end(act, running, said)),
    ):
        with pytest.raises(Invalid) as raised, here.merit.acting(here.actor(by)) as act:
            verb(act)
        assert {each.path for each in raised.value.problems} == {field}
    assert everything(here) == before


# -- days ------------------------------------------------------------------------------------------


def test_what_is_granted_late_begins_on_the_day_it_is_granted(here: Company) -> None:
    number = asked(here)
    here.clock.advance(days=3)

    granted(here, number)

    assert effective(here) == (replace(HOLD, first=date(2026, 7, 4)),)


def test_what_would_be_over_is_granted_no_more(here: Company) -> None:
    last, before = asked(here), asked(here, replace(HOLD, last=END - DAY))
    here.clock.advance(days=30)

    granted(here, last)
    with pytest.raises(NotActionable, match="was to end on 2026-07-30; it has to be asked for"):
        granted(here, before)
    refused(here, before)
    assert effective(here) == (standing.Measure("hold", END, END),)


def test_the_day_on_which_it_is_ended_is_judged_without_it_and_those_before_with_it(
    here: Company,
) -> None:
    number = given(here)
    here.clock.advance(days=9)

    ended(here, number)

    [found] = effective(here)
    assert found.named == HOLD.named
    assert [found.holds(date(2026, 7, day)) for day in (1, 9, 10, 31)] == [True, True, False, False]
    assert measure(here, number).last_day == END


def test_what_is_ended_before_a_whole_day_of_it_was_never_in_force(here: Company) -> None:
    ended(here, given(here))
    ended(here, given(here, replace(GOLD, first=END)))

    assert effective(here) == ()
    given(here)  # and the same can be granted again
    assert effective(here) == (HOLD,)


def test_what_is_over_is_not_ended_any_more(here: Company) -> None:
    number = given(here)
    here.clock.advance(days=31)

    with pytest.raises(NotActionable, match="Measure 1 was over on 2026-07-31"):
        ended(here, number)
    assert effective(here) == (HOLD,)


def test_a_measure_has_come_as_far_as_its_days_say(company: Company) -> None:
    numbers = every_phase(company)
    today = TODAY + DAY

    found = {name: phase(measure(company, number), today) for name, number in numbers.items()}

    assert found.pop("ended") == "over"
    assert found == {name: name for name in found}
    assert last_day(measure(company, numbers["ended"])) == TODAY


def judged(company: Company, reference: str) -> list[set[Any]]:
    """Return by what each day that is over is judged, or would be if it is caught up with."""
    today = company.clock.now.date()
    return [
        {each.named for each in effective(company, reference) if each.holds(today - back * DAY)}
        for back in range(1, 30)
    ]


_asking = st.tuples(st.just("ask"), st.integers(0, 2), st.integers(0, 5), st.sampled_from(KINDS))
_doing = st.tuples(st.sampled_from(list(VERBS)), st.integers(0, 3))
_waiting = st.tuples(st.just("wait"), st.integers(1, 3))


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("ask", 0, 5, "hold"), ("wait", 2), ("granted", 0)])
@example([("ask", 0, 5, "floor"), ("granted", 0), ("wait", 2), ("ended", 0)])
@over(st.lists(st.one_of(_asking, _doing, _waiting), min_size=4, max_size=16))
def test_whatever_people_do_days_that_are_over_stay_as_they_were(
    here: Company, acts: list[Any]
) -> None:
    reference = f"C-{uuid4().hex}"
    client(here, reference)
    numbers: list[int] = []
    for verb, *how in acts:
        if verb == "wait":
            here.clock.advance(days=how[0])
            continue
        before = judged(here, reference)
        try:
            if verb == "ask":
                first = here.clock.now.date() + how[0] * DAY
                tier = None if how[2] == "hold" else "gold"
                wanted = standing.Measure(how[2], first, first + how[1] * DAY, tier)
                numbers.append(asked(here, wanted, reference))
            elif numbers:
                VERBS[verb](here, numbers[how[0] % len(numbers)])
        except Refused:
            pass
        assert judged(here, reference) == before


# -- the same twice --------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [HOLD, GOLD], ids=["hold", "exact"])
def test_the_same_is_not_granted_twice(here: Company, wanted: standing.Measure) -> None:
    both = [asked(here, wanted), asked(here, replace(wanted, last=END - DAY))]
    granted(here, both[0])
    before = everything(here)

    for again in (
        lambda: granted(here, both[1]),
        lambda: asked(here, replace(wanted, last=END + DAY)),
    ):
        with pytest.raises(Conflict, match="granted already"):
            again()
    assert everything(here) == before
    statement = "UPDATE measures SET state = 'granted'"
    with pytest.raises(IntegrityError), here.merit.database.writing() as session:
        session.execute(text(statement))


def test_another_kind_tier_day_or_client_is_not_the_same(here: Company) -> None:
    client(here, "C-18")
    for wanted in (
        HOLD,
        GOLD,
        replace(GOLD, tier="silver"),
        replace(GOLD, kind="floor"),
        replace(HOLD, first=TODAY + DAY),
    ):
        given(here, wanted)
    given(here, HOLD, "C-18")

    assert len(effective(here)) == 5


def test_what_was_asked_for_from_an_earlier_day_can_become_the_same(here: Company) -> None:
    early = asked(here)
    here.clock.advance(days=1)
    given(here, replace(HOLD, first=TODAY + DAY))

    with pytest.raises(Conflict):
        granted(here, early)
    assert measure(here, early).first_day == TODAY


# -- at the same moment ----------------------------------------------------------------------------


def test_of_two_who_grant_at_the_same_moment_one_does(here: Company) -> None:
    number = asked(here)

    found = racing(*(lambda by=by: granted(here, number, by) for by in ("paul", "petra")))

    assert sorted(type(each).__name__ for each in found) == ["NoneType", "NotActionable"]
    assert verbs(here, number) == ["asked", "granted"]
    assert facts_version(here) == 1


@pytest.mark.parametrize("wanted", [HOLD, GOLD], ids=["hold", "exact"])
def test_of_two_of_the_same_one_is_granted(here: Company, wanted: standing.Measure) -> None:
    both = [asked(here, wanted) for _ in range(2)]

    found = racing(*(lambda number=number: granted(here, number) for number in both))

    assert sorted(type(each).__name__ for each in found) == ["Conflict", "NoneType"]
    assert effective(here) == (wanted,)


def test_granted_refused_and_withdrawn_at_the_same_moment_it_is_one_of_them(
    here: Company,
) -> None:
    number = asked(here)

    found = racing(*(lambda verb=VERBS[name]: verb(here, number) for name in list(VERBS)[:3]))

    assert found.count(None) == 1
    state = list(VERBS)[found.index(None)]
    assert verbs(here, number) == ["asked", state]
    assert effective(here) == ((HOLD,) if state == "granted" else ())


# -- tiers that disappear, clients that are erased -------------------------------------------------


def without_gold() -> Any:
    """Return the example's policy with another key for the tier gold."""
    document: Any = loads(EXAMPLE.read_text("utf-8").replace('"gold"', '"golden"'))
    return replacing(document, gold="golden")


def test_a_tier_that_is_gone_is_granted_no_more_and_what_was_granted_can_be_ended(
    here: Company,
) -> None:
    before, after = given(here, GOLD), asked(here, replace(GOLD, kind="floor"))
    here.publish(without_gold())

    with pytest.raises(NotActionable, match="has no tier gold any more"):
        granted(here, after)
    assert effective(here) == (GOLD,)
    ended(here, before)
    refused(here, after)


def test_nothing_is_done_any_more_about_who_was_erased(here: Company) -> None:
    waiting, running = asked(here, GOLD), given(here)
    erase(here)
    before = everything(here)

    for verb in (
        lambda: asked(here, replace(HOLD, first=END)),
        lambda: granted(here, waiting),
        lambda: refused(here, waiting),
        lambda: withdrawn(here, waiting),
        lambda: ended(here, running),
    ):
        with pytest.raises(NotActionable, match="has been erased"):
            verb()
    assert everything(here) == before


# -- reading ---------------------------------------------------------------------------------------


def test_what_waits_and_what_there_is_of_a_client_is_read_with_who_asked(
    company: Company,
) -> None:
    numbers = every_phase(company)
    client(company, "C-18")
    other = asked(company, replace(HOLD, first=END), "C-18")

    def told(found: Any) -> list[tuple[int, str, str]]:
        assert all(isinstance(each, Shown) for each in found)
        return [(each.measure.id, each.client, each.asked_by) for each in found]

    with company.merit.database.reading() as session:
        waiting = told(measures.waiting(session))
        own = told(measures.of_client(session, "C-17"))
        with pytest.raises(NotThere):
            measures.of_client(session, "C-19")

    assert waiting == [
        (numbers["asked"], "C-17", "edith@example.com"),
        (other, "C-18", "max@example.com"),
    ]
    assert [number for number, *_ in own] == [
        *sorted(set(numbers.values()) - {numbers["granted"]}),
        numbers["granted"],  # which begins later
    ]


def test_what_is_granted_is_read_for_many_clients_by_one_statement(here: Company) -> None:
    ids = [client(here, f"C-{number}") for number in range(17, 20)]
    later = replace(HOLD, first=TODAY + DAY)
    for wanted in (later, GOLD, HOLD):
        given(here, wanted)
    given(here, GOLD, "C-18")
    statements: list[str] = []

    def note(*said: Any) -> None:
        statements.append(said[2])

    engine = here.merit.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        with here.merit.database.reading() as session:
            found = measures.granted(session, ids)
            nobody = measures.granted(session, [])
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert found == dict(zip(ids, ((GOLD, HOLD, later), (GOLD,), ()), strict=True))
    assert nobody == {}
    assert sum("measures" in each for each in statements) == 2


# -- the history -----------------------------------------------------------------------------------


def test_every_step_leaves_one_entry_and_names_nobody(company: Company) -> None:
    numbers = every_phase(company)

    found = {name: verbs(company, number) for name, number in numbers.items()}
    assert found == {
        "over": ["asked", "granted"],
        "in_force": ["asked", "granted"],
        "granted": ["asked", "granted"],
        "refused": ["asked", "refused"],
        "withdrawn": ["asked", "withdrawn"],
        "asked": ["asked"],
        "ended": ["asked", "granted", "ended"],
    }
    with company.merit.database.reading() as session:
        leaves = session.execute(
            select(HistoryEntry.leaf).where(HistoryEntry.verb.like("measure.%"))
        ).scalars()
        whole = "".join(leaves)
        for said in ("C-17", "gold", "hold", "2026-07-31", "flood", "dried"):
            assert said not in whole
        verify(session)


def test_what_is_said_of_the_client_can_be_read_until_they_are_erased(here: Company) -> None:
    number = given(here, GOLD)
    with here.merit.database.reading() as session:
        subject = session.execute(select(Client.subject)).scalar_one()
        found = read_input(session, f"measure:{number}", subject)
    assert found == {
        "kind": "exact",
        "tier": "gold",
        "first": "2026-07-01",
        "last": "2026-07-31",
        "comment": "It was on the news.",
    }
    ended(here, number)
    with here.merit.database.reading() as session:
        last = read_input(session, f"measure:{number}", subject)
    assert last == {"last": "2026-06-30", "reason": "It is over."}

    erase(here)
    with here.merit.database.reading() as session:
        assert read_input(session, f"measure:{number}", subject) is None
        verify(session)
