"""Standings as a service: many decided as one is, and nobody about whom there is no agreement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from app.models import Client, Decision, HistoryEntry, Standing, Subject
from app.services.activities import NewActivity, record_activities
from app.services.authority import SYSTEM
from app.services.recorded import packed, unpacked
from app.services.standings import Decided, decide
from app.services.verification import verify
from app.words import Words
from rules.document import load
from rules.document.strict_json import canonical_bytes, loads
from rules.engine import EngineFailure
from rules.judge import Disagreement
from rules.vocabulary import LARGEST, settle
from tests.app.asking import TYPES, served
from tests.app.company import Company
from tests.app.dealings import at_odds, spending, stated

TODAY = date(2026, 7, 1)
BUYERS = {"1": (), "2": (50000,) * 3, "3": (100000,) * 6, "4": (250000,) * 10, "5": (33333,) * 3}
"""What each of them has bought."""


def bought(company: Company, prefix: str) -> None:
    """Let the buyers buy, under references of this prefix."""
    sold = [
        NewActivity("till", f"{prefix}{who}-{n}", f"{prefix}{who}", "sale", TODAY, amount=amount)
        for who, amounts in BUYERS.items()
        for n, amount in enumerate((*amounts, 0))
    ]
    with company.merit.acting(SYSTEM) as act:
        record_activities(act, sold, add_missing=True)


def ids(company: Company, *references: str) -> list[int]:
    with company.merit.database.reading() as session:
        found = session.execute(select(Client.reference, Client.id)).all()
    named = {reference: number for reference, number in found}  # noqa: C416 - rows are tuples
    return [named[each] for each in references]


def decided(company: Company, clients: Sequence[int], day: date = TODAY) -> Decided:
    with company.merit.acting(SYSTEM) as act:
        return decide(act, company.merit.rulebook, clients, day, Words())[1]


def made(company: Company) -> dict[int, int]:
    """Return how many decisions there are by client; the history has an entry of each."""
    with company.merit.database.reading() as session:
        rows = session.execute(
            select(Decision.client_id, func.count()).group_by(Decision.client_id)
        ).all()
        entries = session.execute(
            select(func.count()).where(HistoryEntry.verb == "client.decided")
        ).scalar_one()
        verify(session)
    found = {client: number for client, number in rows}  # noqa: C416 - rows are tuples
    assert sum(found.values()) == entries
    return found


def kept(company: Company, client: int) -> dict[str, Any] | None:
    """Return how a client stands, but for their name and that of the decision."""
    with company.merit.database.reading() as session:
        found = session.get(Standing, client)
    if found is None:
        return None
    said: Any = loads(found.answer)
    assert said.pop("decision") == found.decision_id
    del said["client"]
    names = ("tier", "since", "as_of", "next_due", "policy_version", "policy_digest")
    return {"answer": said, **{name: getattr(found, name) for name in names}}


def test_several_at_once_are_decided_as_each_alone(company: Company) -> None:
    for prefix in ("A-", "B-"):
        bought(company, prefix)
    together = ids(company, *(f"A-{who}" for who in BUYERS))
    alone = ids(company, *(f"B-{who}" for who in BUYERS))

    for day in (TODAY, date(2026, 12, 1), date(2027, 8, 1)):
        assert decided(company, together, day).decided == len(BUYERS)
        assert [decided(company, [each], day).decided for each in alone] == [1] * len(BUYERS)
        found = [kept(company, each) for each in together]
        assert found == [kept(company, each) for each in alone]
        assert None not in found
    assert set(made(company).values()) == {3}


def test_only_those_are_decided_about_whose_standing_is_not_good(company: Company) -> None:
    bought(company, "")
    clients = ids(company, *BUYERS)
    first = decided(company, clients[:2])

    found = decided(company, clients)

    assert (first.decided, found.decided) == (2, 3)
    assert set(found.standings) == set(clients)
    assert [found.standings[each].decision_id for each in clients[:2]] == [
        first.standings[each].decision_id for each in clients[:2]
    ]
    assert decided(company, clients).decided == 0
    assert decided(company, []).decided == 0
    assert made(company) == dict.fromkeys(clients, 1)


def test_the_erased_and_those_who_never_were_are_not_decided_about(company: Company) -> None:
    bought(company, "")
    clients = ids(company, *BUYERS)
    with company.merit.owner.writing() as session:
        gone = select(Client.subject).where(Client.id == clients[0])
        session.execute(delete(Subject).where(Subject.id.in_(gone)))

    found = decided(company, [*clients, 10**6])

    assert set(found.failed) == {clients[0], 10**6}
    assert set(found.standings) == set(clients[1:])
    assert not found.failures
    assert kept(company, clients[0]) is None


# -- evaluators that fail ----------------------------------------------------------------------


def spenders(company: Company) -> list[int]:
    """Publish a policy and return four clients who spend 998, 999, 1000 and 1001."""
    company.publish(spending())
    app = served(company)
    for spend in range(998, 1002):
        stated(app, str(spend), spend=spend)
    return ids(company, *map(str, range(998, 1002)))


def test_about_whom_the_evaluators_differ_nothing_is_decided(new_company: Company) -> None:
    clients = spenders(new_company)
    at_odds(new_company, spending(999))

    found = decided(new_company, clients)

    others = [clients[0], *clients[2:]]
    assert found.decided == 3
    assert set(found.standings) == set(others)
    assert set(found.failed) == {clients[1]}
    assert [type(each) for each in found.failures] == [Disagreement]
    assert made(new_company) == dict.fromkeys(others, 1)
    assert kept(new_company, clients[1]) is None


def test_where_the_engine_fails_nothing_is_decided(new_company: Company) -> None:
    clients = spenders(new_company)
    with new_company.merit.database.reading() as session:
        in_force = new_company.merit.rulebook.in_force(session)
    in_force.judge._engine._conditions._rules._sets[0]._handle = 2**30

    found = decided(new_company, clients)

    assert (found.decided, found.standings) == (0, {})
    assert set(found.failed) == set(clients)
    assert [type(each) for each in found.failures] == [EngineFailure] * len(clients)
    assert made(new_company) == {}
    assert [kept(new_company, each) for each in clients] == [None] * len(clients)


def test_who_could_not_be_decided_about_again_stands_as_before(new_company: Company) -> None:
    clients = spenders(new_company)
    decided(new_company, clients)
    before = [kept(new_company, each) for each in clients]
    app = served(new_company)
    for spend in range(998, 1002):
        stated(app, str(spend), spend=spend, vip=True)
    new_company.clock.advance(days=1)
    at_odds(new_company, spending(1001))

    found = decided(new_company, clients, date(2026, 7, 2))

    assert set(found.failed) == {clients[2]}
    assert kept(new_company, clients[2]) == before[2]
    assert made(new_company) == {**dict.fromkeys(clients, 2), clients[2]: 1}


# -- what the history keeps --------------------------------------------------------------------

POLICY = load(TYPES)
WHOLE = st.integers(-LARGEST, LARGEST)
BETWEEN = st.builds(lambda over, under: settle(Fraction(over, under)), WHOLE, st.integers(1, 10**9))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "money": WHOLE | BETWEEN,
    "count": WHOLE,
    "decimal": WHOLE | BETWEEN,
    "days": WHOLE,
    "date": st.dates(date(1800, 1, 1), date(2299, 12, 31)),
    "boolean": st.booleans(),
    "choice": st.sampled_from(["retail", "hotel"]),
}
FACTS = st.fixed_dictionaries(
    {}, optional={key: VALUES[each.type.value] for key, each in POLICY.metrics.items()}
)


@settings(max_examples=100)
@given(facts=FACTS)
@example(facts={"rating": Fraction(1, 3), "visit_spend": Fraction(-LARGEST, 3), "member": True})
@example(facts={"birthday": date(1980, 2, 29), "trade": "hotel", "spend": 1, "visits": 0})
def test_facts_come_back_from_the_history_exactly(facts: dict[str, Any]) -> None:
    written: Any = loads(canonical_bytes(packed(POLICY, facts)))

    found = unpacked(POLICY, written)

    assert found == facts
    assert {key: type(each) for key, each in found.items()} == {
        key: type(each) for key, each in facts.items()
    }


def test_every_type_of_metric_comes_back_from_the_history() -> None:
    assert {each.type.value for each in POLICY.metrics.values()} == set(VALUES)
