"""The effect of a version: who would move where if it were in force."""

from __future__ import annotations

from datetime import date, timedelta
from threading import Event
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from app.models import Client, Decision, EffectMove, Subject
from app.services import effect, estimating, jobs
from app.services.authority import SYSTEM, Actor
from app.services.clients import Stated, put_client
from app.services.effect import Cell, Estimate, Summary
from app.services.errors import Invalid, NotActionable, NotAllowed, NotThere
from app.services.standings import decide
from app.words import Words
from rules import standing
from rules.document import DocumentInvalid
from rules.document.strict_json import dumps, loads
from tests.app.company import Company
from tests.app.dealings import british, replacing
from tests.app.effects import begun, estimate, work, worked_out
from tests.app.granting import given
from tests.app.shelf import document, drafted, saved, stocked
from tests.rules.builders import Document, condition, metric, tier

TODAY = date(2026, 7, 1)
SPENT = {f"C-{spent}": spent for spent in (500, 1500, 2500)}


@pytest.fixture
def company(new_company: Company) -> Company:
    """A company with silver from 1,000 on, of whose three clients two hold it."""
    new_company.publish(document(1000))
    for reference, spent in SPENT.items():
        state(new_company, reference, spend=spent)
    review(new_company)
    return new_company


def state(company: Company, reference: str, **attributes: Any) -> int:
    with company.merit.acting(Actor("key:till")) as act:
        found, _ = put_client(act, reference, Stated(attributes=attributes), TODAY)
        return found.id


def review(company: Company) -> None:
    with company.merit.acting(SYSTEM) as act:
        ids = list(act.session.execute(select(Client.id)).scalars())
        decide(act, company.merit.rulebook, ids, TODAY, Words())


def cells(found: Estimate) -> dict[tuple[str | None, str | None], Cell]:
    return {(each.held, each.gives): each for each in found.summary.cells}


def names(company: Company, found: Estimate, *cell: str | None) -> list[str]:
    wanted: Any = cell or effect.ANY
    with company.merit.database.reading() as session:
        return [each.reference for each in effect.moves(session, found.effect.id, wanted)]


def rows(company: Company) -> int:
    with company.merit.database.reading() as session:
        return session.execute(select(func.count()).select_from(EffectMove)).scalar_one()


def test_it_says_who_would_move_where_and_what_they_bring_in(company: Company) -> None:
    found = worked_out(company, document(2000))

    assert cells(found) == {
        ("base", "base"): Cell("base", "base", moves=False, clients=1, amount=500),
        ("silver", "base"): Cell("silver", "base", True, clients=1, amount=1500, at_once=1),
        ("silver", "silver"): Cell("silver", "silver", moves=False, clients=1, amount=2500),
    }
    assert (found.summary.clients, found.summary.moving, found.summary.concerned) == (3, 1, 1500)
    assert names(company, found) == ["C-1500"]
    assert (found.state, found.done, found.total) == ("finished", 3, 3)
    assert found.is_finished


def test_nobody_is_decided_about_and_nobody_s_standing_changes(company: Company) -> None:
    with company.merit.database.reading() as session:
        before = session.execute(select(func.count()).select_from(Decision)).scalar_one()

    worked_out(company, document(2000))

    with company.merit.database.reading() as session:
        after = session.execute(select(func.count()).select_from(Decision)).scalar_one()
    assert before == after


def test_who_keeps_the_tier_they_hold_stays(company: Company) -> None:
    silver = tier(
        "silver",
        entry=condition("spend", "at_least", 2000),
        keep=condition("spend", "at_least", 1200),
    )

    found = worked_out(company, british(metric("spend", "money"), tiers=(silver,)))

    assert found.summary.moving == 0


def noticed(limit: int, *steps: Document) -> Document:
    """Return a policy that demotes from silver by steps."""
    silver = tier("silver", entry=condition("spend", "at_least", limit), demotion="slowly")
    slowly = {"key": "slowly", "name": {"en": "Slowly"}, "steps": list(steps)}
    return {
        **british(metric("spend", "money"), tiers=(silver,)),
        "demotion_policies": [slowly],
    }


NOTICE: Document = {"kind": "notice", "days": 0}
DEMOTE: Document = {"kind": "demote", "days": 60, "to": "entitled"}


@pytest.mark.parametrize(
    ("steps", "comes"),
    [((NOTICE, DEMOTE), "notice"), ((DEMOTE,), "later")],
    ids=["notice", "later"],
)
def test_it_says_when_somebody_moves(
    company: Company, steps: tuple[Document, ...], comes: str
) -> None:
    found = worked_out(company, noticed(2000, *steps))

    [move] = [each for each in found.summary.cells if each.moves]
    assert (move.clients, getattr(move, comes)) == (1, 1)


def test_who_is_never_demoted_does_not_move(company: Company) -> None:
    found = worked_out(company, noticed(2000, NOTICE))

    assert found.summary.moving == 0


def test_who_is_held_by_a_person_moves_later(company: Company) -> None:
    hold = standing.Measure("hold", TODAY, date(2026, 7, 31))
    given(company, hold, "C-1500")

    found = worked_out(company, document(2000))

    [move] = [each for each in found.summary.cells if each.moves]
    assert (move.at_once, move.later) == (0, 1)


def test_who_moves_anyway_is_told_apart(company: Company) -> None:
    state(company, "C-2500", spend=900)

    found = worked_out(company, document(2000))

    assert cells(found)["silver", "base"] == Cell(
        "silver", "base", True, clients=2, amount=2400, at_once=2, anyway=1
    )


def test_who_was_never_decided_about_holds_what_the_policy_in_force_gives(
    company: Company,
) -> None:
    state(company, "C-9000", spend=9000)

    found = worked_out(company, document(2000))

    assert cells(found)["silver", "silver"].clients == 2


def test_a_first_policy_moves_everybody_from_nowhere(new_company: Company) -> None:
    state(new_company, "C-1", spend=5)
    state(new_company, "C-2", spend=5000)

    found = worked_out(new_company, document(1000))

    assert {place: each.clients for place, each in cells(found).items()} == {
        (None, "base"): 1,
        (None, "silver"): 1,
    }
    assert names(new_company, found, None, "silver") == ["C-2"]


def test_a_tier_that_another_takes_the_place_of_moves_nobody_by_itself(company: Company) -> None:
    bronze = tier("bronze", entry=condition("spend", "at_least", 1000))
    content = replacing(british(metric("spend", "money"), tiers=(bronze,)), silver="bronze")

    found = worked_out(company, content)

    assert {place: each.moves for place, each in cells(found).items()} == {
        ("base", "base"): False,
        ("silver", "bronze"): False,
    }


def test_who_cannot_be_measured_is_named(company: Company) -> None:
    content = british(
        metric("spend", "choice"),
        tiers=(tier("silver", entry=condition("spend", "is", "hotel")),),
    )

    found = worked_out(company, content)

    assert {place: each.clients for place, each in cells(found).items()} == {
        ("base", None): 1,
        ("silver", None): 2,
    }
    assert names(company, found, "silver", None) == ["C-1500", "C-2500"]


def test_everybody_is_ranked_by_the_version(company: Company) -> None:
    content = british(
        metric("spend", "money"),
        metric("place", "decimal", {"kind": "rank", "metric": "spend"}, unit="percent"),
        tiers=(tier("silver", entry=condition("place", "at_most", 40)),),
    )

    found = worked_out(company, content)

    assert names(company, found, "silver", "base") == ["C-1500"]


def test_segments_are_counted_now_and_by_the_version(company: Company) -> None:
    big = {
        "key": "big",
        "name": {"en": "Big"},
        "criteria": condition("spend", "at_least", 1500),
    }

    found = worked_out(company, {**document(1000), "segments": [big]})

    assert found.summary.segments == {"big": (None, 2)}


def test_another_day_has_its_own_facts(company: Company) -> None:
    in_august = timedelta(days=40)

    found = worked_out(company, document(1000), day=TODAY + in_august)

    assert (found.effect.day, found.summary.moving) == (date(2026, 8, 10), 0)


def test_a_stated_metric_says_what_is_concerned(company: Company) -> None:
    state(company, "C-1500", spend=1500, profit=70)
    content = british(
        metric("spend", "money"),
        metric("profit", "money"),
        tiers=(tier("silver", entry=condition("spend", "at_least", 2000)),),
    )

    found = worked_out(company, content, metric="profit")

    assert (found.effect.metric, found.summary.concerned) == ("profit", 70)


def test_it_is_worked_out_batch_by_batch_and_gone_on_with(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimating, "BATCH", 2)
    stop = Event()
    stop.set()
    number = begun(company, drafted(company, document(2000)))

    assert work(company, stop) == "waiting"
    half = estimate(company, number)
    assert (half.done, half.total, half.is_finished) == (2, 3, False)
    assert half.summary.clients == 2
    assert work(company) == "finished"

    assert estimate(company, number).summary.clients == 3
    assert rows(company) == 1


def test_what_was_saved_meanwhile_does_not_count(company: Company) -> None:
    draft = drafted(company, document(2000))
    number = begun(company, draft)
    saved(company, draft, document(9000), 1)

    work(company)

    assert estimate(company, number).summary.moving == 1


def test_a_newer_effect_of_the_version_takes_the_place_of_the_one_before(
    company: Company,
) -> None:
    draft = drafted(company, document(2000))
    first = begun(company, draft)
    work(company)
    assert rows(company) == 1
    second, third = begun(company, draft), begun(company, draft)
    assert rows(company) == 0

    assert (work(company), work(company)) == ("finished", "finished")

    assert estimate(company, first).is_finished
    assert not estimate(company, second).is_finished
    with company.merit.database.reading() as session:
        latest = effect.latest(session, draft)
        assert latest is not None
        assert latest.effect.id == third
        assert effect.moves(session, second) == []
        assert len(effect.moves(session, third)) == 1


def test_another_policy_in_force_overtakes_it(company: Company) -> None:
    number = begun(company, drafted(company, document(2000)))
    company.publish(document(1200))

    work(company)

    assert not estimate(company, number).is_finished


def test_who_has_been_erased_is_not_counted(company: Company) -> None:
    with company.merit.owner.writing() as session:
        its = select(Client.subject).where(Client.reference == "C-1500")
        session.execute(delete(Subject).where(Subject.id.in_(its)))

    found = worked_out(company, document(2000))

    assert (found.summary.clients, found.summary.moving) == (2, 0)


def test_names_come_by_pages(company: Company) -> None:
    found = worked_out(company, document(9000))

    with company.merit.database.reading() as session:
        first = effect.moves(session, found.effect.id, ("silver", "base"), limit=1)
        rest = effect.moves(session, found.effect.id, after=first[-1].reference)

    assert [each.reference for each in (*first, *rest)] == ["C-1500", "C-2500"]


def test_a_table_of_names_holds_no_formula(company: Company) -> None:
    with company.merit.acting(Actor("key:till")) as act:
        put_client(act, "C-1500", Stated("=1+1", attributes={"spend": 1500}), TODAY)
    found = worked_out(company, document(2000))
    with company.merit.database.reading() as session:
        table = effect.names_table(effect.moves(session, found.effect.id))

    assert table.decode("utf-8-sig").splitlines() == [
        "client,name,held,gives,comes,anyway,amount",
        "C-1500,'=1+1,silver,base,at_once,no,1500",
    ]


def test_a_summary_is_read_as_it_was_written() -> None:
    summary = Summary((Cell("a", None, True, 3, 5, 1, 1, 1, 2),), {"big": (None, 3)})

    assert Summary.read(loads(dumps(summary.written()))) == summary  # type: ignore[arg-type]


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["anna", "max", "olga"])
def test_only_who_drafts_or_reviews_has_it_worked_out(company: Company, name: str) -> None:
    number = drafted(company)

    with pytest.raises(NotAllowed):
        begun(company, number, by=name)


def test_a_reviewer_has_it_worked_out(company: Company) -> None:
    assert begun(company, drafted(company), by="paul")


def refused(company: Company, error: type[Exception], number: int, **parts: Any) -> Any:
    with pytest.raises(error) as raised:
        begun(company, number, **parts)
    return raised.value


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ({"day": TODAY - timedelta(days=1)}, "date"),
        ({"metric": "visits"}, "metric"),
    ],
    ids=["yesterday", "no such metric"],
)
def test_what_cannot_be_asked_for_is_named(
    company: Company, parts: dict[str, Any], path: str
) -> None:
    error = refused(company, Invalid, drafted(company), **parts)

    assert [each.path for each in error.problems] == [path]


def test_a_tier_left_out_has_to_be_mapped_first(company: Company) -> None:
    number = drafted(company, british(metric("spend", "money"), tiers=()))

    error = refused(company, Invalid, number)

    assert [each.path for each in error.problems] == ["transition.former_tiers"]


def test_a_draft_that_is_not_valid_has_no_effect(company: Company) -> None:
    refused(company, DocumentInvalid, drafted(company, {"tiers": []}))


def test_there_is_none_of_what_does_not_exist(company: Company) -> None:
    refused(company, NotThere, 99)
    with pytest.raises(NotThere), company.merit.database.reading() as session:
        effect.estimate(session, 99)
    with company.merit.database.reading() as session:
        assert effect.latest(session, 1) is None


def test_only_what_was_never_in_force_has_an_effect(new_company: Company) -> None:
    for state_, number in stocked(new_company).items():
        if state_ in ("in_force", "superseded"):
            refused(new_company, NotActionable, number)
        else:
            assert begun(new_company, number), state_


def test_who_worked_for_too_long_undoes_nothing(company: Company) -> None:
    number = begun(company, drafted(company, document(2000)))
    merit = company.merit
    lease = jobs.claim(merit.database, "slow", company.clock(), [effect.KIND])
    assert lease is not None
    company.clock.advance(minutes=5)
    assert work(company) == "finished"

    with pytest.raises(jobs.LeaseLost):
        jobs.carry_out(
            merit.database, merit.clock, lease, estimating.Working(merit.rulebook), Event()
        )

    assert estimate(company, number).summary.moving == rows(company) == 1


def test_an_effect_that_nobody_works_out_keeps_the_service_ready(company: Company) -> None:
    begun(company, drafted(company, document(2000)))
    company.clock.advance(hours=1)

    with company.merit.database.reading() as session:
        assert jobs.stalled_since(session, company.clock()) is None
