"""``GET /clients/{reference}/standing``: how a client stands, ready to be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.merit import Merit
from app.models import Client, Decision, Standing
from rules.document.strict_json import loads
from tests.app.asking import EVALUATIONS, EXAMPLE, answered, counted, problem, served
from tests.app.company import Company, close
from tests.app.dealings import (
    CLIENT,
    at_odds,
    at_once,
    british,
    decisions,
    happened,
    read,
    replacing,
    sale,
    spending,
    standing,
    stated,
)
from tests.rules.builders import changed, condition, metric, tier

STALE = "merit_stale_answers_total"


@pytest.fixture
def app(company: Company) -> Flask:
    """The service, with a client."""
    app = served(company)
    stated(app)
    return app


def regular(app: Flask) -> None:
    """Make the client a regular buyer: silver."""
    happened(app, *map(sale, range(3)))


def test_a_client_of_whom_nothing_happened_holds_the_lowest_tier(app: Flask) -> None:
    answer = standing(app)

    assert answer["tier"] == answer["entitled"] == {"key": "standard", "name": "Standard"}
    assert answer["client"] == CLIENT
    assert answer["undetermined"] is None


def test_activities_raise_a_client_at_once(app: Flask) -> None:
    assert standing(app)["tier"]["key"] == "standard"

    regular(app)

    answer = standing(app)
    assert answer["tier"]["key"] == "silver"
    assert answer["since"] == "2026-07-01"
    assert [each["key"] for each in answer["benefits"]] == ["free_delivery"]
    assert answer["standards"] == [
        {
            "key": "answer_in_a_day",
            "name": "An answer within a working day",
            "answers": "manager",
            "promise": {"kind": "respond_within", "request": "question", "working_minutes": 480},
        }
    ]


def test_a_client_nobody_knows_stands_nowhere(app: Flask) -> None:
    assert "C-99" in problem(read(app, "C-99"), 404)["detail"]


# -- the same as what if -----------------------------------------------------------------------

BUYERS: dict[str, list[dict[str, Any]]] = {
    "nobody": [],
    "silver, just": [{"amount": 33334}, {"amount": 33333}, {"amount": 33333}],
    "silver, not quite": [{"amount": 33333}] * 3,
    "gold": [{"amount": 100000}] * 6,
    "gold, but for cancellations": [{"amount": 200000}] * 6
    + [{"amount": -1, "kind": "cancellation"}] * 3,
    "a third is cancelled": [{"amount": 50000}] * 3 + [{"amount": 0, "kind": "cancellation"}],
    "lost": [{"amount": 50000, "date": "2025-12-01"}] * 3,
    "platinum": [{"amount": 250000, "date": "2026-07-01"}] * 10,
}


def test_the_answer_is_that_of_an_evaluation_of_the_same_facts(app: Flask) -> None:
    tiers = []
    for reference, (who, sales) in enumerate(BUYERS.items()):
        name = str(reference)
        stated(app, name)
        for number, parts in enumerate(sales):
            happened(app, sale(f"{reference}-{number}", client=name, **parts))

        answer = standing(app, name)
        asking = app.test_client()
        decision = answered(asking.get(f"/api/v1/decisions/{answer['decision']}"))
        facts = {"date": "2026-07-01", "facts": decision["facts"], "held": answer["tier"]["key"]}
        if decision["exact"]:
            del facts["facts"]["cancelled_share"]  # rounded: it follows from the others
        for question in ({"client": name, "changed": {}}, facts):
            found = answered(asking.post(EVALUATIONS, json=question))
            assert found["tier"] == answer["tier"] == answer["entitled"], who
            assert found["date"] == answer["as_of"]
            assert found["conditions"] == answer["reasons"]
            for part in ("undetermined", "segments", "next_tier", "to_stay", "sentences"):
                assert found[part] == answer[part], (who, part)
            assert found["policy"]["digest"] == answer["policy"]["digest"]
        tiers.append(answer["tier"]["key"])
    assert tiers == [
        *("standard", "silver", "standard", "gold", "silver", "silver", "standard", "platinum")
    ]


# -- decided once ------------------------------------------------------------------------------


def test_who_reads_again_decides_nothing(company: Company, app: Flask) -> None:
    regular(app)

    first = read(app)
    for _ in range(3):
        assert read(app).get_data() == first.get_data()

    assert decisions(company) == 1
    with company.merit.database.reading() as session:
        [made] = session.execute(select(Decision)).scalars()
    assert made.id == answered(first)["decision"]
    assert (made.tier, made.entitled, made.held) == ("silver", "silver", "silver")


def test_of_many_who_read_first_one_decides(company: Company, app: Flask) -> None:
    regular(app)

    found = at_once(8, lambda: read(app))

    assert {each.status_code for each in found} == {200}
    assert len({each.get_data() for each in found}) == 1
    assert decisions(company) == 1


def test_new_facts_are_decided_about_once_more_and_since_stays(
    company: Company, app: Flask
) -> None:
    regular(app)
    before = standing(app)
    company.clock.advance(days=5)

    happened(app, sale("another"))
    after = standing(app)

    assert decisions(company) == 2
    assert after["decision"] != before["decision"]
    assert (after["since"], after["as_of"]) == ("2026-07-01", "2026-07-06")
    with company.merit.database.reading() as session:
        last = session.get_one(Decision, after["decision"])
    assert (last.held, last.tier) == ("silver", "silver")


def test_another_tier_is_held_since_the_day_it_was_given(company: Company, app: Flask) -> None:
    regular(app)
    standing(app)
    company.clock.advance(days=5)

    happened(app, *(sale(f"more {n}".replace(" ", "-"), amount=100000) for n in range(4)))

    answer = standing(app)
    assert (answer["tier"]["key"], answer["since"]) == ("gold", "2026-07-06")


def test_where_windows_move_the_next_day_decides_again(company: Company, app: Flask) -> None:
    regular(app)
    standing(app)

    company.clock.advance(hours=10, minutes=59)
    assert standing(app)["as_of"] == "2026-07-01"
    assert decisions(company) == 1
    company.clock.advance(minutes=1)  # it is midnight in London
    assert standing(app)["as_of"] == "2026-07-02"
    assert decisions(company) == 2
    company.clock.advance(days=300)
    answer = standing(app)
    assert (answer["held"]["key"], answer["entitled"]["key"]) == ("silver", "standard")
    assert (answer["state"], answer["deadline"]) == ("on_notice", "2027-06-26")
    assert decisions(company) == 3


def test_where_nothing_can_change_no_day_decides_again(new_company: Company) -> None:
    new_company.publish(spending())
    app = served(new_company)
    stated(app, spend=1000)
    stated(app, "C-18")
    first = read(app).get_data(), read(app, "C-18").get_data()

    new_company.clock.advance(days=200)

    assert (read(app).get_data(), read(app, "C-18").get_data()) == first
    assert decisions(new_company) == 2


def test_a_clock_put_back_decides_nothing_anew(company: Company, app: Flask) -> None:
    regular(app)
    before = standing(app)
    company.clock.advance(days=-1)
    happened(app, *(sale(f"another-{n}", amount=1000000) for n in range(6)))

    assert standing(app) == before
    company.clock.advance(days=1)
    assert standing(app)["tier"]["key"] != before["tier"]["key"]


# -- a new policy ------------------------------------------------------------------------------


def test_the_next_answer_is_by_the_policy_that_came_into_force_also_elsewhere(
    company: Company, app: Flask
) -> None:
    regular(app)
    other = replace(company, merit=Merit(company.merit.config, company.clock))
    beside = served(other)
    before = standing(app)
    assert standing(beside) == before
    document: Any = loads(EXAMPLE.read_bytes())
    document = changed(document, ("tiers", 1, "entry", "all", 0, "value"), 150001)
    document = changed(document, ("tiers", 1, "keep", "all", 0, "value"), 150001)
    document["examples"] = []

    number = company.publish(document)

    after = standing(beside)
    assert (before["entitled"]["key"], after["entitled"]["key"]) == ("silver", "standard")
    assert (after["tier"]["key"], after["state"]) == ("silver", "secure")  # until the night
    assert after["policy"]["version"] == number
    assert standing(app) == after
    assert decisions(company) == 2
    company.clock.advance(days=1)
    assert standing(beside)["state"] == "on_notice"
    close(other)


def test_a_tier_that_is_no_more_is_held_as_the_one_that_took_its_place(
    new_company: Company,
) -> None:
    new_company.publish(spending())
    app = served(new_company)
    stated(app, spend=1000)
    assert standing(app)["tier"]["key"] == "silver"
    new_company.clock.advance(days=1)

    entry = condition("spend", "at_least", 1000)
    document = british(metric("spend", "money"), tiers=(tier("amber", entry=entry),))
    new_company.publish(replacing(document, silver="amber"))

    answer = standing(app)
    assert (answer["tier"]["key"], answer["since"]) == ("amber", "2026-07-01")
    assert answer["state"] == "secure"


# -- undetermined ------------------------------------------------------------------------------


@pytest.fixture
def careful(new_company: Company) -> Company:
    """A company that names no higher tier where it does not know the debt."""
    new_company.publish(
        british(
            metric("spend", "money"),
            metric("debt", "money", missing="cannot_decide"),
            tiers=(
                tier("silver", entry=condition("spend", "at_least", 1000)),
                tier("gold", entry=condition("debt", "at_most", 0)),
            ),
        )
    )
    return new_company


def test_where_no_tier_can_be_named_the_one_held_stays(careful: Company) -> None:
    app = served(careful)
    stated(app, spend=1000, debt=0)
    assert standing(app)["tier"]["key"] == "gold"
    careful.clock.advance(days=1)

    stated(app, spend=1000)

    answer = standing(app)
    assert answer["tier"]["key"] == "gold"
    assert answer["since"] == "2026-07-01"
    assert answer["entitled"] is None
    assert answer["undetermined"] == {
        "missing": ["debt"],
        "at_least": {"key": "silver", "name": "silver"},
    }
    stated(app, spend=1000, debt=1)
    assert standing(app)["tier"]["key"] == "gold"
    careful.clock.advance(days=1)
    assert standing(app)["tier"]["key"] == "silver"


def test_where_no_tier_was_held_the_highest_that_is_sure_is(careful: Company) -> None:
    app = served(careful)
    stated(app, spend=1000)

    answer = standing(app)

    assert (answer["tier"]["key"], answer["entitled"]) == ("silver", None)
    with careful.merit.database.reading() as session:
        [made] = session.execute(select(Decision)).scalars()
    assert (made.tier, made.entitled) == ("silver", None)


# -- where it cannot be decided ----------------------------------------------------------------


def measuring_rating(company: Company) -> None:
    """Publish a policy that reads as a number what has been stated in words."""
    document = british(
        metric("rating", "count"),
        tiers=(tier("silver", entry=condition("rating", "at_least", 1)),),
    )
    company.publish(replacing(document, standard="base", gold="silver", platinum="silver"))


def test_what_cannot_be_measured_any_more_leaves_the_last_answer_said_to_be_old(
    company: Company, app: Flask
) -> None:
    stated(app, rating="good")
    last = standing(app)
    before = counted(app, STALE)

    measuring_rating(company)

    for asked in ({}, {"Accept_Language": "uk"}, {"If_None_Match": "*"}):
        assert standing(app, **asked) == {**last, "stale": True}
    assert "ETag" not in read(app).headers
    assert counted(app, STALE) == before + 4
    assert decisions(company) == 1
    stated(app, rating=1)
    company.clock.advance(days=1)
    stated(app, rating=1)
    assert "stale" not in standing(app)


def test_what_cannot_be_measured_and_never_was_has_no_answer(company: Company, app: Flask) -> None:
    stated(app, rating="good")
    measuring_rating(company)
    before = counted(app, STALE)

    found = problem(read(app), 503)

    assert found["type"] == "urn:merit:problem:no-answer"
    assert "rating" in found["detail"]
    assert counted(app, STALE) == before


def test_more_than_can_be_counted_has_no_answer(app: Flask) -> None:
    happened(app, sale(1, amount=10**15), sale(2, amount=10**15))

    found = problem(read(app), 503)

    assert "revenue_12m" in found["detail"]


def test_where_the_evaluators_differ_the_last_answer_is_told(new_company: Company) -> None:
    new_company.publish(spending())
    app = served(new_company)
    stated(app, spend=1000)
    last = standing(app)
    at_odds(new_company, spending(999))
    before = [counted(app, STALE), counted(app, "merit_failed_evaluations_total", reason=ODDS)]

    new_company.clock.advance(days=1)
    stated(app, spend=999)

    assert standing(app) == {**last, "stale": True}
    after = [counted(app, STALE), counted(app, "merit_failed_evaluations_total", reason=ODDS)]
    assert after == [each + 1 for each in before]
    assert decisions(new_company) == 1


def test_where_they_differ_and_nothing_was_said_before_nothing_is(new_company: Company) -> None:
    new_company.publish(spending())
    app = served(new_company)
    stated(app, spend=999)
    at_odds(new_company, spending(999))

    found = problem(read(app), 503)

    assert found["type"] == "urn:merit:problem:no-answer"
    assert found["detail"].startswith("The evaluators failed to agree")
    assert "999" not in found["detail"]
    assert decisions(new_company) == 0


ODDS = "Disagreement"


def test_a_desk_waits_for_no_long_writing_but_is_told_the_last_answer(
    company: Company, app: Flask
) -> None:
    last = standing(app)
    stated(app, "C-18")
    regular(app)
    before = counted(app, STALE)

    with company.merit.database.writing() as session:
        session.execute(update(Client).values(name="Being imported"))
        assert standing(app) == {**last, "stale": True}
        waiting = read(app, "C-18")

    assert problem(waiting, 503)["type"] == "urn:merit:problem:unavailable"
    assert waiting.headers["Retry-After"]
    assert counted(app, STALE) == before + 1
    assert standing(app)["tier"]["key"] == "silver"
    assert standing(app, "C-18")["tier"]["key"] == "standard"


# -- languages and what the reader has ---------------------------------------------------------


def test_names_are_told_in_the_readers_language(company: Company, app: Flask) -> None:
    regular(app)

    english = read(app)
    ukrainian = read(app, Accept_Language="uk, en;q=0.5")

    assert answered(ukrainian)["tier"] == {"key": "silver", "name": "Срібло"}
    assert [each["name"] for each in answered(ukrainian)["benefits"]] == ["Безкоштовна доставка"]
    assert english.headers["Vary"] == ukrainian.headers["Vary"] == "Accept-Language"
    assert ukrainian.headers["ETag"] != english.headers["ETag"]
    said = answered(ukrainian)
    for part in ("client", "since", "as_of", "policy", "decision"):
        assert said[part] == answered(english)[part]
    for header in ("en", "en-GB, uk", "*", "en;q=0.9, uk;q=0.1"):
        assert read(app, Accept_Language=header).get_data() == english.get_data()
    assert decisions(company) == 1


def test_who_reads_first_in_another_language_is_told_in_it(company: Company, app: Flask) -> None:
    regular(app)

    assert standing(app, Accept_Language="uk")["tier"]["name"] == "Срібло"
    assert standing(app)["tier"]["name"] == "Silver"
    assert decisions(company) == 1


def test_who_has_the_answer_is_told_so(app: Flask) -> None:
    regular(app)
    tags = {}

    for language in ("en", "uk"):
        tag = tags[language] = read(app, Accept_Language=language).headers["ETag"]
        for header in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = read(app, Accept_Language=language, If_None_Match=header)
            assert (again.status_code, again.get_data()) == (304, b""), header
            assert again.headers["ETag"] == tag
            assert again.headers["Vary"] == "Accept-Language"
        for header in ('"other"', '""', tag.strip('"') + '"', "²"):
            again = read(app, Accept_Language=language, If_None_Match=header)
            assert again.status_code == 200, header

    assert read(app, Accept_Language="uk", If_None_Match=tags["en"]).status_code == 200
    happened(app, sale("another"))
    assert read(app, If_None_Match=tags["en"]).status_code == 200


def test_a_standing_says_with_what_it_is_good(company: Company, app: Flask) -> None:
    regular(app)
    answer = standing(app)

    with company.merit.database.reading() as session:
        [kept] = session.execute(select(Standing)).scalars()
        [client] = session.execute(select(Client)).scalars()
    assert loads(kept.answer) == answer
    assert kept.facts_version == client.facts_version
    assert kept.policy_digest == answer["policy"]["digest"]
    assert (kept.tier, kept.since.isoformat()) == (answer["tier"]["key"], answer["since"])
