"""A client's standing from day to day: what the night begins, the day may mend, and it is known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select

from app.models import (
    Client,
    Decision,
    HookMessage,
    Notice,
    Standing,
    StandingEvent,
    Subject,
)
from app.services.basis import read_events, read_standing
from app.services.history import read_input
from app.services.hooks import add_receiver
from app.services.recorded import unpacked
from rules.decide import decide
from rules.document.strict_json import loads
from rules.standing import Findings
from tests.app.asking import answered, problem, served
from tests.app.company import Company
from tests.app.dealings import at, british, read, standing, stated
from tests.rules.builders import condition, metric, tier

STEPS = [
    {"kind": "notice"},
    {"kind": "withdraw", "days": 30, "benefits": ["lounge"]},
    {"kind": "demote", "days": 60, "counted": "start", "to": "entitled"},
]


@pytest.fixture
def app(new_company: Company) -> Flask:
    """A company that asks for 1,000, gives notice, takes a benefit, and then the tier."""
    gold = tier("gold", entry=condition("spend", "at_least", 1000), demotion="slowly")
    gold["benefits"] = [{"key": key, "name": {"en": key.title()}} for key in ("lounge", "manager")]
    document = british(metric("spend", "money"), tiers=(gold,))
    document["demotion_policies"] = [{"key": "slowly", "name": {"en": "Slowly"}, "steps": STEPS}]
    new_company.publish(document)
    return served(new_company)


def events(company: Company) -> list[tuple[str, str]]:
    with company.merit.database.reading() as session:
        found = session.execute(
            select(StandingEvent.day, StandingEvent.kind).order_by(StandingEvent.id)
        )
        return [(day.isoformat(), kind) for day, kind in found]


def then(app: Flask, day: str, **headers: str) -> Any:
    return app.test_client().get(f"{at()}/standing?at={day}", headers=headers)


def test_a_client_is_told_all_the_way_down_where_they_stand(
    new_company: Company, app: Flask
) -> None:
    clock = new_company.clock
    stated(app, spend=1000)
    secure = standing(app)
    assert (secure["state"], secure["ground"]) == ("secure", {"cause": "earned", "until": None})
    assert (secure["deadline"], secure["withdrawn"], secure["under"]) == (None, [], [])

    clock.advance(days=1)
    stated(app, spend=900)
    noticed = standing(app)
    assert (noticed["state"], noticed["deadline"]) == ("on_notice", "2026-08-30")
    assert noticed["ground"] == {"cause": "grace", "until": "2026-08-30"}
    assert (noticed["to_stay"]["key"], noticed["to_stay"]["by"]) == ("gold", "2026-08-30")
    assert (noticed["held"]["key"], noticed["entitled"]["key"]) == ("gold", "base")

    clock.advance(days=30)
    reduced = standing(app)
    assert (reduced["state"], reduced["tier"]["key"]) == ("reduced", "gold")
    assert [each["key"] for each in reduced["benefits"]] == ["manager"]
    assert [each["key"] for each in reduced["withdrawn"]] == ["lounge"]

    clock.advance(days=30)
    fallen = standing(app)
    assert (fallen["tier"]["key"], fallen["state"], fallen["ground"]) == ("base", "secure", None)
    assert fallen["since"] == fallen["as_of"] == "2026-08-31"
    assert events(new_company) == [
        ("2026-07-01", "promoted"),
        ("2026-07-02", "notice_given"),
        ("2026-08-01", "benefit_withdrawn"),
        ("2026-08-31", "demoted"),
    ]


def test_what_is_bought_at_noon_mends_at_noon(new_company: Company, app: Flask) -> None:
    stated(app, spend=1000)
    standing(app)
    new_company.clock.advance(days=1)
    stated(app, spend=999)
    assert standing(app)["state"] == "on_notice"

    stated(app, spend=1000)

    assert (standing(app)["state"], standing(app)["since"]) == ("secure", "2026-07-01")
    stated(app, spend=999)
    assert standing(app)["state"] == "secure"  # until the night
    new_company.clock.advance(days=1)
    assert standing(app)["state"] == "on_notice"


def test_the_row_says_what_the_answer_says(new_company: Company, app: Flask) -> None:
    stated(app, spend=1000)
    standing(app)
    new_company.clock.advance(days=1)
    stated(app, spend=1)

    answer = standing(app)

    with new_company.merit.database.reading() as session:
        [row] = session.execute(select(Standing)).scalars()
    basis = read_standing(row.basis)
    assert (row.tier, row.held) == (answer["tier"]["key"], answer["held"]["key"])
    assert (row.state, row.deadline) == (answer["state"], date.fromisoformat(answer["deadline"]))
    assert (basis.tier, basis.since, basis.as_of) == (row.held, row.since, row.as_of)


# -- days gone by ------------------------------------------------------------------------------


def lived(new_company: Company, app: Flask) -> None:
    """Let a client be gold on 1 July, on notice from the 2nd, and mended on the 10th."""
    for days, spend in ((0, 1000), (1, 900), (8, 1000)):
        new_company.clock.advance(days=days)
        stated(app, spend=spend)
        standing(app)


def test_how_a_client_stood_is_told_as_it_was_decided(new_company: Company, app: Flask) -> None:
    lived(new_company, app)

    found = [answered(then(app, f"2026-07-{day:02}")) for day in (1, 2, 5, 9, 10)]

    assert [each["state"] for each in found] == ["secure", *["on_notice"] * 3, "secure"]
    assert [each["as_of"] for each in found] == ["2026-07-01", *["2026-07-02"] * 3, "2026-07-10"]
    assert found[-1] == standing(app)


def test_a_day_gone_by_is_told_in_the_readers_words(new_company: Company, app: Flask) -> None:
    lived(new_company, app)

    found = then(app, "2026-07-05", **{"Accept-Language": "en"})

    assert found.headers["Content-Language"] == "en"
    again = then(app, "2026-07-05", **{"If-None-Match": found.headers["ETag"]})
    assert again.status_code == 304


def test_what_was_known_on_a_day_leaves_out_what_was_decided_later(
    new_company: Company, app: Flask
) -> None:
    lived(new_company, app)
    address = f"{at()}/standing?at=2026-07-10&known="
    asking = app.test_client()

    assert answered(asking.get(address + "2026-07-09"))["state"] == "on_notice"
    assert answered(asking.get(address + "2026-07-10"))["state"] == "secure"
    problem(asking.get(address + "2026-06-30"), 404)


def test_before_anything_was_decided_there_is_nothing_to_tell(
    new_company: Company, app: Flask
) -> None:
    lived(new_company, app)

    assert "Nothing had been decided" in problem(then(app, "2026-06-30"), 404)["detail"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("at=yesterday", "at"),
        ("at=2026-07-02", "at"),
        ("at=", "at"),
        ("known=2026-07-01", "at"),
        ("at=2026-07-01&known=2026-13-01", "known"),
        ("at=2026-07-01&known=2026-07-02", "known"),
    ],
)
def test_a_day_that_cannot_be_told_of_is_refused_by_name(
    app: Flask, query: str, field: str
) -> None:
    stated(app, spend=1000)

    found = problem(app.test_client().get(f"{at()}/standing?{query}"), 422)

    assert list(found["errors"]) == [field]


def test_today_asked_for_by_its_date_is_today(app: Flask) -> None:
    stated(app, spend=1000)

    assert answered(then(app, "2026-07-01")) == standing(app)


def test_of_the_erased_no_day_gone_by_is_told(new_company: Company, app: Flask) -> None:
    lived(new_company, app)
    with new_company.merit.owner.writing() as session:
        session.execute(delete(Subject).where(Subject.id.in_(select(Client.subject))))

    assert "erased" in problem(then(app, "2026-07-05"), 404)["detail"]
    assert answered(read(app))["state"] == "secure"


def test_every_decision_names_the_one_it_went_on_from(new_company: Company, app: Flask) -> None:
    lived(new_company, app)
    asking = app.test_client()
    with new_company.merit.database.reading() as session:
        names = session.execute(select(Decision.id).order_by(Decision.day)).scalars().all()

    found = [answered(asking.get(f"/api/v1/decisions/{name}")) for name in names]

    assert [[each["kind"] for each in one["events"]] for one in found] == [
        ["promoted"],
        ["notice_given"],
        ["renewed", "reinstated"],
    ]
    assert [one["standing"]["tier"] for one in found] == ["gold"] * 3


def test_whoever_listens_and_the_manager_have_what_is_to_be_told(
    new_company: Company, app: Flask
) -> None:
    with new_company.merit.acting(new_company.actor("anna")) as act:
        add_receiver(act, new_company.merit.secret, "https://crm.example.com/hook")
    stated(app, spend=1000)
    standing(app)
    new_company.clock.advance(days=1)
    stated(app, spend=900)

    answer = standing(app)

    with new_company.merit.database.reading() as session:
        payloads = session.execute(select(HookMessage.payload).order_by(HookMessage.created_at))
        told: list[Any] = [loads(each) for each in payloads.scalars()]
        letters = list(map(tuple, session.execute(select(Notice.decision_id, Notice.event))))
    assert [each["data"]["events"][0]["event"] for each in told] == ["promoted", "notice_given"]
    assert letters == [(answer["decision"], "notice_given")]


def test_every_decision_can_be_made_again_from_what_the_history_keeps(
    new_company: Company, app: Flask
) -> None:
    lived(new_company, app)
    merit = new_company.merit
    standings: dict[str, Any] = {}
    with merit.database.reading() as session:
        subject = session.execute(select(Client.subject)).scalar_one()
        made = session.execute(select(Decision).order_by(Decision.at)).scalars().all()
        for each in made:
            said: Any = read_input(session, f"decision:{each.id}", subject)
            with_policy = merit.rulebook.version(session, each.policy_version)
            policy, facts = with_policy.policy, unpacked(with_policy.policy, said["facts"])
            found = Findings.of(policy, with_policy.judge.judge(facts), facts)
            standing_, told = decide(
                policy,
                found,
                standings.get(said["before"]),
                each.day,
                issued=date.fromisoformat(said["issued"]),
                version=each.policy_version,
            )
            assert standing_ == read_standing(said["standing"])
            assert told == read_events(said["events"])
            standings[each.id] = standing_
    assert len(standings) == 3
