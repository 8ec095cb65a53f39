"""How tiers are held and lost, said in sentences; the rest is read back in the commands' tests."""

from __future__ import annotations

from typing import Any

import pytest

from app.words import Words
from rules.describe import describe
from rules.document import load
from tests.rules.builders import (
    Document,
    activities,
    attribute,
    condition,
    metric,
    names,
    option,
    policy_document,
    tier,
)

WORDS = Words()
MONTHLY = {"kind": "monthly", "day": 1}


def said(
    *steps: Document,
    promotion: Document | None = None,
    transition: Document | None = None,
    **parts: Any,
) -> list[str]:
    """Return what is said after the criteria of a tier with these parts, lost by these steps."""
    demotion = {"key": "way", "name": names("Way"), "steps": list(steps)}
    lost = {"demotion": "way"} if steps else {}
    whole: Document = {"promotion": promotion} if promotion else {}
    whole["letters"] = parts.pop("letters", [])
    whole |= {"transition": transition} if transition else {}
    if steps:
        whole["demotion_policies"] = [{**demotion, **parts.pop("of_demotion", {})}]
    entry = condition("spend", "at_least", 1)
    gold = tier("gold", entry=entry, benefits=[option("queue")], **lost, **parts)
    document = policy_document([metric("spend", "count"), metric("first", "date")], [gold], **whole)
    lines = ["  " * each.depth + WORDS.say(each.sentence) for each in describe(load(document))]
    return lines[lines.index("  gold brings: queue.") + 1 :]


def test_a_tier_of_which_nothing_more_is_said_has_no_more_sentences() -> None:
    assert said() == []
    assert said(validity={"kind": "open"}, renewal="at_once", promotion={"path": "straight"}) == []


@pytest.mark.parametrize(
    ("validity", "held"),
    [
        ({"kind": "fixed", "n": 12, "unit": "months"}, "for 12 months"),
        ({"kind": "fixed", "n": 1, "unit": "days"}, "for 1 day"),
        (
            {"kind": "fixed", "n": 1, "unit": "months", "to_month_end": True},
            "for 1 month and on to the end of the month",
        ),
        ({"kind": "calendar", "unit": "month"}, "until the end of that month"),
        (
            {"kind": "calendar", "unit": "year", "further": 1, "plus_months": 2},
            "until the end of the next calendar year and 2 months more",
        ),
        (
            {"kind": "calendar", "unit": "half_year", "further": 3, "plus_months": 1},
            "until the end of that half-year and 3 further ones and 1 month more",
        ),
        (
            {"kind": "calendar", "unit": "quarter", "starts": "04-06"},
            "until the end of that quarter (years begin on April 6)",
        ),
    ],
)
def test_how_long_a_tier_is_held_is_said(validity: Document, held: str) -> None:
    assert said(validity=validity) == [f"  gold, once earned, is held {held}."]


def test_a_tier_held_until_an_assessment_says_so_and_when_that_is() -> None:
    assert said(validity={"kind": "until_assessment"}, promotion={"assessment": MONTHLY}) == [
        "  gold, once earned, is held until the day before the next assessment.",
        "Clients rise only on day 1 of each month.",
    ]


def test_a_renewal_at_the_end_is_said() -> None:
    year = {"kind": "fixed", "n": 12, "unit": "months"}

    assert said(validity=year, renewal="at_expiry")[1:] == ["  gold is renewed only when it ends."]


def test_a_tier_for_life_is_said() -> None:
    assert said(lifetime_after_years=0) == ["  gold, once earned, is held for life."]
    assert said(lifetime_after_years=1) == ["  gold is held for life after 1 year."]
    assert said(lifetime_after_years=10) == ["  gold is held for life after 10 years."]


@pytest.mark.parametrize(
    ("assessment", "days"),
    [
        (
            {"kind": "year_days", "days": ["10-01", "01-01", "04-01"]},
            "January 1, April 1, and October 1",
        ),
        (MONTHLY, "day 1 of each month"),
        ({"kind": "monthly", "day": 31}, "the last day of each month"),
        (
            {"kind": "anniversary", "every": "year"},
            "the yearly anniversary of the day on which the tier was reached",
        ),
        (
            {"kind": "anniversary", "every": "month", "of": "first"},
            "the monthly anniversary of “first”",
        ),
    ],
)
def test_assessment_dates_are_said(assessment: Document, days: str) -> None:
    demote = {"kind": "demote", "to": "entitled"}

    assert said(promotion={"assessment": assessment}) == [f"Clients rise only on {days}."]
    assert said(demote, of_demotion={"assessment": assessment})[1:2] == [
        f"    beginning only on {days};"
    ]


def test_a_path_by_rungs_is_said() -> None:
    assert said(promotion={"path": "one_rung"}) == ["Clients rise one tier at a time."]


def test_whom_a_version_moves_and_where_tiers_went_is_said() -> None:
    until = {"until": "2026-12-31"}

    assert said(transition={"moves": "everybody"}) == []
    assert said(transition={"moves": "upgrades_only", **until}) == [
        "Who holds a tier by an earlier version loses it only by failing that one’s criteria too; "
        "where the tier has no last day, until December 31, 2026."
    ]
    assert said(transition={"moves": "new_grounds_only", **until}) == [
        "Who holds a tier by an earlier version holds and loses it by that one’s rules; "
        "where the tier has no last day, until December 31, 2026."
    ]
    assert said(transition={"former_tiers": [{"key": "top", "now": "gold"}]}) == [
        "Who held the former top holds “gold”."
    ]


def test_settlement_is_said() -> None:
    document = policy_document([], settlement_days=3)

    said_ = [WORDS.say(each.sentence) for each in describe(load(document))]
    assert "What is recorded up to 3 days late still counts for its day." in said_


def test_steps_are_said_with_their_months_and_days() -> None:
    landing = {"kind": "fixed", "n": 6, "unit": "months"}
    steps: list[Document] = [
        {"kind": "warning", "days": 1},
        {"kind": "notice"},
        {"kind": "withdraw", "months": 2, "days": 14, "benefits": ["queue"]},
        {"kind": "demote", "months": 3, "counted": "start", "to": "one_rung", "landing": landing},
    ]

    assert said(*steps, validity=landing)[1:] == [
        "  Who no longer keeps gold is stepped down by “Way”:",
        "    1 day before the end: a warning;",
        "    at once: a notice;",
        "    2 months and 14 days later: without “queue”;",
        "    3 months after this began: one tier down, held for 6 months.",
    ]


def test_a_demotion_by_one_rung_without_a_landing_says_no_more() -> None:
    assert said({"kind": "demote", "days": 30, "to": "one_rung"})[1:] == [
        "    30 days later: one tier down."
    ]


def test_a_return_of_benefits_by_steps_is_said() -> None:
    withdraw = {"kind": "withdraw", "benefits": ["queue"]}

    assert said(withdraw, of_demotion={"benefits_return_days": 7})[-1] == (
        "    What was withdrawn returns in reverse, 7 days apart."
    )
    assert said(withdraw, of_demotion={"benefits_return_days": 0})[1:] == [
        "    at once: without “queue”;"
    ]


# -- what is measured of the standing, the group, the population -----------------------------------


def stood(measure: str, **parts: Any) -> Document:
    return {"kind": "standing", "measure": measure, **parts}


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (stood("days_since_tier"), "days since the tier held was reached"),
        (stood("days_since_ground"), "days since the ground began on which the tier is held"),
        (stood("days_at_or_above", tier="gold"), "days at “gold” or above"),
        (
            stood("days_at_or_above", tier="gold", unbroken=True),
            "days at “gold” or above without a break",
        ),
        ({"kind": "group", "metric": "nights"}, "“nights” of all members of the group together"),
        (
            activities("days_with", window={"kind": "since", "event": "tier"}),
            "days with a sale, since the tier held was reached",
        ),
        (
            activities("days_with", window={"kind": "since", "event": "ground"}),
            "days with a sale, since the ground began on which the tier is held",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_metric_says_what_it_is_measured_from(source: Document, sentence: str) -> None:
    metrics = [metric("x", "days", source), metric("nights", "days")]

    assert f"x: {sentence}." in _described(metrics)


@pytest.mark.parametrize(
    ("window", "sentence"),
    [
        ({"kind": "rolling", "n": 1, "unit": "days"}, "on this day"),
        ({"kind": "rolling", "n": 1, "unit": "weeks"}, "in the last week"),
        ({"kind": "rolling", "n": 2, "unit": "weeks"}, "in the last 2 weeks"),
        ({"kind": "rolling", "n": 1, "unit": "months"}, "in the last month"),
        ({"kind": "rolling", "n": 12, "unit": "months"}, "in the last 12 months"),
        ({"kind": "rolling", "n": 1, "unit": "years"}, "in the last year"),
        ({"kind": "previous", "n": 1, "unit": "half_year"}, "in the half-year before this one"),
        ({"kind": "previous", "n": 2, "unit": "month"}, "in the 2 whole months before this one"),
        (
            {"kind": "this", "unit": "year", "starts": "07-01"},
            "in this year (years begin on July 1)",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_window_says_what_it_takes_in(window: Document, sentence: str) -> None:
    metrics = [metric("x", "count", activities("sum", "quantity", window=window))]

    assert f"x: the sum of quantity of each sale, {sentence}." in _described(metrics)


def test_an_attribute_says_how_long_it_is_good() -> None:
    metrics = [metric("x", "count", attribute("x", good_for_days=30))]

    assert "x: as stated under x, good for 30 days." in _described(metrics)


@pytest.mark.parametrize(
    ("promise", "sentence"),
    [
        (
            {"kind": "respond_within", "request": "question", "working_minutes": 60},
            "within 60 working minutes of a question",
        ),
        ({"kind": "contact_every", "days": 30}, "a contact at least every 30 days"),
        (
            {"kind": "after_activity", "activity": "sale", "days": 1},
            "1 day after a sale unless there is another",
        ),
        ({"kind": "on_date", "attribute": "birthday", "days_before": 3}, "3 days before birthday"),
        ({"kind": "after_event", "event": "promoted", "days": 2}, "within 2 days of a promotion"),
        (
            {"kind": "survey_every", "survey": "nps", "unit": "quarter"},
            "a survey every quarter (NPS)",
        ),
        ({"kind": "keep_promise"}, "what was promised is done by its date"),
        ({"kind": "entitlement", "detail": "own_room"}, "an entitlement"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_service_standard_says_what_is_promised(promise: Document, sentence: str) -> None:
    standard = {"key": "s", "name": names("Care"), "answers": "manager", "promise": promise}
    document = policy_document([], standards=[standard])
    document["tiers"][0]["standards"] = ["s"]

    lines = [WORDS.say(each.sentence) for each in describe(load(document))]
    assert f"base is promised: Care ({sentence}); manager answers for it." in lines


def test_the_tier_held_years_at_a_tier_and_a_rank_say_what_they_are() -> None:
    held = metric("held", "choice", stood("tier_held"))
    del held["options"]
    rank = metric("place", "decimal", {"kind": "rank", "metric": "years"}, unit="percent")
    years = metric("years", "count", stood("years_at_or_above", tier="gold"))

    assert _described([held, years, rank])[2:5] == [
        "held: the tier held.",
        "years: years at “gold” or above.",
        "place: the place among all clients by “years”, in percent from the top.",
    ]


def test_to_whom_a_groups_tier_goes_is_said_where_it_is_its_head_alone() -> None:
    sentence = "What a group comes to together counts for its head alone."

    assert sentence in _described([], groups={"tier_goes_to": "head"})
    assert sentence not in _described([], groups={"tier_goes_to": "members"})


def _described(metrics: list[Document], **parts: Any) -> list[str]:
    spend = metric("spend", "count")
    gold = tier("gold", entry=condition("spend", "at_least", 1))
    document = policy_document([*metrics, spend], [gold], **parts)
    return [WORDS.say(each.sentence) for each in describe(load(document))]


def test_letters_and_who_gets_them_are_said() -> None:
    way = {"reinstatement_letter": "kept", "return_letter": "back"}
    body = names("Dear $client,")
    letters = [
        {"key": key, "subject": names(f"{key}: $tier"), "body": body}
        for key in ("hello", "kept", "back")
    ]
    lines = said(
        {"kind": "notice", "letter": "hello"},
        of_demotion=way,
        promotion={"letter": "hello"},
        letters=letters,
    )

    assert lines == [
        "  Who no longer keeps gold is stepped down by “Way”:",
        "    at once: a notice;",
        "      with the letter “hello”;",
        "    Who meets the criteria again gets the letter “kept”.",
        "    Who then has benefits given back gets the letter “back”.",
        "Who rises gets the letter “hello”.",
        "The letters:",
        "  hello: “hello: $tier”.",
        "  kept: “kept: $tier”.",
        "  back: “back: $tier”.",
    ]
