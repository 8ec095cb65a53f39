"""``POST /evaluations``: the right answer to every question, and to whatever is none a problem."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from io import RawIOBase
from math import inf
from typing import Any

import pytest
from flask import Flask
from hypothesis import example, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app.api import LARGEST_BODY
from app.api.evaluations import MOST_AT_ONCE, MOST_PROBLEMS
from app.services.evaluations import MOST_FACTS
from rules.document.strict_json import dumps, loads
from tests.app.asking import (
    EVALUATIONS,
    EXAMPLE,
    QUESTION,
    TYPES,
    Ask,
    answered,
    post,
    prepared,
    problem,
    service,
)
from tests.rules.builders import changed, condition

GOLD = {"revenue_12m": 500000, "orders": 6, "cancellations": 0, "days_since_order": 120}

# -- questions -------------------------------------------------------------------------------


def near(*limits: int) -> st.SearchStrategy[int]:
    """Numbers where answers change: at these limits, beside them, and anywhere."""
    beside = [limit + step for limit in limits for step in (-1, 0, 1)]
    return st.sampled_from(beside) | st.integers(-(10**15), 10**15)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


SHARES = st.decimals(0, 120, allow_nan=False, places=12) | st.integers(39, 51)
ORDERS, CANCELLATIONS = st.integers(-2, 14), st.integers(-2, 8)
QUESTIONS = st.fixed_dictionaries(
    {
        "facts": st.fixed_dictionaries(
            {},
            optional={
                "revenue_12m": maybe(near(80000, 100000, 400000, 500000, 2000000)),
                "orders": maybe(ORDERS),
                "cancellations": maybe(CANCELLATIONS),
                "days_since_order": maybe(near(90, 120, 180, 240)),
                "cancelled_share": maybe(SHARES),
            },
        )
    },
    optional={
        "date": st.dates(date(1970, 1, 1), date(2199, 12, 31)).map(date.isoformat),
        "client": st.from_regex(r"[A-Za-z0-9._~-]{1,64}", fullmatch=True),
        "held": st.sampled_from(["standard", "silver", "gold", "platinum"]),
        "currency": st.just("GBP"),
    },
)


def tier_by_hand(facts: Mapping[str, Any]) -> str:
    """Tell a client's tier by the example's rules, worked out without Merit."""
    revenue, orders, idle = (
        facts.get(key) for key in ("revenue_12m", "orders", "days_since_order")
    )
    cancelled = facts.get("cancellations")
    share = facts.get("cancelled_share")
    if "cancelled_share" not in facts and orders and cancelled is not None:
        share = Fraction(100 * cancelled, orders)

    def holds(least: int, fewest: int, longest: int, most: int | None) -> bool:
        if revenue is None or orders is None or idle is None:
            return False
        if most is not None and (share is None or not Fraction(share) < most):
            return False
        return bool(revenue >= least and orders >= fewest and idle <= longest)

    if holds(2000000, 10, 90, 40):
        return "platinum"
    if holds(500000, 6, 120, 50):
        return "gold"
    return "silver" if holds(100000, 3, 180, None) else "standard"


@settings(max_examples=60)
@given(questions=st.lists(QUESTIONS, min_size=1, max_size=25))
def test_each_question_has_the_same_and_the_right_answer_alone_and_among_others(
    app: Flask, questions: list[dict[str, Any]]
) -> None:
    together = post(app, questions)
    alone = [post(app, question) for question in questions]

    assert together.text == f"[{', '.join(each.text for each in alone)}]"
    for question, answer in zip(questions, answered(together), strict=True):
        assert answer["tier"]["key"] == tier_by_hand(question["facts"])
        assert answer.get("client") == question.get("client")
        assert answer["date"] == question.get("date", "2026-07-01")


def test_an_answer_says_the_tier_the_reasons_and_what_is_missing(ask: Ask) -> None:
    answer = ask({**QUESTION, "client": "C-17", "held": "silver"})

    assert list(answer) == [
        *("client", "date", "tier", "undetermined", "tiers", "segments", "conditions"),
        *("next_tier", "to_stay", "sentences", "policy"),
    ]
    assert (answer["client"], answer["date"]) == ("C-17", "2026-07-01")
    assert answer["tier"] == {"key": "silver", "name": "Silver"}
    assert answer["undetermined"] is None
    assert [(each["key"], each["qualifies"], each["keeps"]) for each in answer["tiers"]] == [
        ("standard", True, True),
        ("silver", True, True),
        ("gold", False, True),
        ("platinum", False, False),
    ]
    assert answer["segments"] == []
    assert answer["to_stay"] == {
        "key": "silver",
        "name": "Silver",
        "steps": [],
        "by": None,
        "sentence": "Nothing is missing to keep Silver.",
    }
    assert answer["next_tier"] == {
        "key": "gold",
        "name": "Gold",
        "steps": [{"metric": "revenue_12m", "value": 450000, "target": 500000, "shortfall": 50000}],
        "by": None,
        "sentence": "For Gold: Revenue in the last 12 months has to rise by £500.00 to £5,000.00.",
    }
    assert answer["sentences"] == [
        "The tier is Silver.",
        answer["to_stay"]["sentence"],
        answer["next_tier"]["sentence"],
    ]
    assert answer["policy"]["key"] == "wholesale"


def test_a_condition_says_the_value_the_limit_and_the_shortfall(ask: Ask) -> None:
    conditions = ask(QUESTION)["conditions"]

    assert {
        "condition": "revenue_12m",
        "criteria": "entry",
        "tier": "gold",
        "value": 450000,
        "operator": "at_least",
        "limit": 500000,
        "met": False,
        "helps": True,
        "shortfall": 50000,
        "sentence": "Revenue in the last 12 months is £4,500.00; Gold asks for at least "
        "£5,000.00: £500.00 short.",
    } in conditions
    assert {each["criteria"] for each in conditions} == {"entry", "keep", "segment"}
    assert {each["segment"] for each in conditions if each["criteria"] == "segment"} == {"lost"}


def test_a_client_may_belong_to_a_segment(ask: Ask) -> None:
    facts = {"orders": 3, "days_since_order": 181}

    assert ask({"facts": facts})["segments"] == [{"key": "lost", "name": "Was regular, stopped"}]


def test_a_stated_shortfall_made_good_exactly_changes_the_answer_and_one_less_does_not(
    ask: Ask,
) -> None:
    way = ask(QUESTION)["next_tier"]
    [step] = way["steps"]
    facts = QUESTION["facts"]
    enough = facts["revenue_12m"] + step["shortfall"]

    assert ask({"facts": {**facts, "revenue_12m": enough}})["tier"]["key"] == way["key"]
    assert ask({"facts": {**facts, "revenue_12m": enough - 1}})["tier"]["key"] == "silver"


def test_questions_asked_at_the_same_time_do_not_disturb_each_other(app: Flask) -> None:
    questions = [
        {"client": f"C-{number}", "facts": {**GOLD, "revenue_12m": 50000 * number}}
        for number in range(60)
    ]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda question: answered(post(app, question)), questions))

    assert answers == answered(post(app, questions))


# -- how many --------------------------------------------------------------------------------


def test_one_in_a_list_is_answered_by_a_list(ask: Ask) -> None:
    assert ask([QUESTION]) == [ask(QUESTION)]


def test_a_thousand_questions_are_answered(ask: Ask) -> None:
    questions = [{**QUESTION, "client": f"C-{number}"} for number in range(MOST_AT_ONCE)]

    assert [each["client"] for each in ask(questions)] == [each["client"] for each in questions]


@pytest.mark.parametrize("number", [0, MOST_AT_ONCE + 1])
def test_neither_none_nor_more_than_a_thousand_are_answered(app: Flask, number: int) -> None:
    found = problem(post(app, [QUESTION] * number), 422)

    assert found["errors"] == {"": ["must hold 1 to 1000 questions"]}


# -- dates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-06-30T22:59:59.999999", "2026-06-30"),
        ("2026-06-30T23:00:00", "2026-07-01"),
        ("2026-01-15T23:59:59.999999", "2026-01-15"),
        ("2026-01-16T00:00:00", "2026-01-16"),
        ("2026-03-29T00:59:59", "2026-03-29"),
        ("2026-03-29T23:00:00", "2026-03-30"),
        ("2026-10-24T23:00:00", "2026-10-25"),
        ("2026-10-25T23:59:59", "2026-10-25"),
        ("2026-10-26T00:00:00", "2026-10-26"),
    ],
)
def test_without_a_date_it_is_today_where_the_company_does_its_business(
    instant: str, day: str
) -> None:
    in_force = prepared(loads(EXAMPLE.read_bytes()))  # type: ignore[arg-type]  # an object
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)

    assert answered(post(service(in_force, at), {"facts": {}}))["date"] == day


@pytest.mark.parametrize("day", ["1970-01-01", "2024-02-29", "2199-12-31"])
def test_it_may_be_asked_about_any_business_date(ask: Ask, day: str) -> None:
    assert ask({**QUESTION, "date": day})["date"] == day


# -- facts -----------------------------------------------------------------------------------


def value(answer: Any, metric: str) -> object:
    """Return what an answer says a metric came to."""
    return next(each["value"] for each in answer["conditions"] if each["condition"] == metric)


def test_null_says_that_a_value_is_missing_as_leaving_it_out_does(ask: Ask) -> None:
    facts = QUESTION["facts"]
    without = {key: each for key, each in facts.items() if key != "revenue_12m"}

    answer = ask({"facts": {**facts, "revenue_12m": None}})

    assert answer == ask({"facts": without})
    assert answer["tier"]["key"] == "standard"
    assert {(each["met"]) for each in answer["conditions"] if each["value"] is None} == {None}


def test_a_derivation_follows_from_the_facts_it_is_made_of(ask: Ask) -> None:
    assert value(ask({"facts": {"orders": 8, "cancellations": 3}}), "cancelled_share") == Decimal(
        "37.5"
    )


def test_a_derivation_that_is_stated_is_not_overruled(ask: Ask) -> None:
    facts = {"orders": 8, "cancellations": 3, "cancelled_share": 10}

    assert value(ask({"facts": facts}), "cancelled_share") == 10


def test_a_derivation_stated_as_null_stays_missing(ask: Ask) -> None:
    facts = {**GOLD, "cancelled_share": None}

    assert value(ask({"facts": facts}), "cancelled_share") is None
    assert ask({"facts": facts})["tier"]["key"] == "silver"


@pytest.mark.parametrize("facts", [{"orders": 0, "cancellations": 3}, {"orders": 8}, {}])
def test_a_derivation_from_nothing_is_missing(ask: Ask, facts: dict[str, int]) -> None:
    assert value(ask({"facts": facts}), "cancelled_share") is None


def test_days_since_a_date_are_counted_to_the_business_date() -> None:
    policy = changed(TYPES, ("tiers", 1, "entry"), condition("age", "at_least", 0))
    questions = [
        {"date": "2024-03-01", "facts": {"birthday": "2024-02-28"}},
        {"date": "2023-03-01", "facts": {"birthday": "2024-02-28"}},
    ]

    answers = answered(post(service(prepared(policy)), questions))

    assert [value(each, "age") for each in answers] == [2, -364]


def test_a_ratio_is_compared_exactly_and_written_so_that_nobody_is_misled(ask: Ask) -> None:
    """Three of six is fifty per cent, which is not less; one of three is a third exactly."""
    half = ask({"facts": {**GOLD, "cancellations": 3}})
    third = ask({"facts": {**GOLD, "orders": 9, "cancellations": 3}})

    assert [half["tier"]["key"], third["tier"]["key"]] == ["silver", "gold"]
    condition = next(each for each in third["conditions"] if each["condition"] == "cancelled_share")
    assert condition["value"] == Decimal("33.3333333")
    assert condition["exact"] == "100/3"


@pytest.mark.parametrize(
    ("share", "tier"),
    [
        ("49.999999999999", "gold"),
        ("50", "silver"),
        ("50.0", "silver"),
        ("5e1", "silver"),
        ("50.000000000001", "silver"),
        ("99.9999999999", "silver"),
    ],
)
def test_a_decimal_is_read_exactly_however_it_is_written(app: Flask, share: str, tier: str) -> None:
    body = dumps({"facts": GOLD})[:-2] + f', "cancelled_share": {share}}}}}'

    answer = answered(post(app, body))

    assert answer["tier"]["key"] == tier
    condition = next(
        each
        for each in answer["conditions"]
        if (each["condition"], each["tier"]) == ("cancelled_share", "gold")
    )
    assert Fraction(condition.get("exact", str(condition["value"]))) == Fraction(share)
    assert ("50%" in condition["sentence"].split(";")[0]) is (Fraction(share) == 50)


@pytest.mark.parametrize("number", ["450000", "450000.0", "4.5e5", "45000000E-2"])
def test_a_whole_number_may_be_written_with_a_point_or_an_exponent(app: Flask, number: str) -> None:
    body = dumps(QUESTION).replace("450000", number)

    assert answered(post(app, body)) == answered(post(app, QUESTION))


# -- what is held ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "to_stay", "next_tier"),
    [
        (None, "silver", "gold"),
        ("standard", None, "silver"),
        ("silver", "silver", "gold"),
        ("gold", "gold", "platinum"),
        ("platinum", "platinum", None),
    ],
)
def test_the_tier_held_decides_what_there_is_to_keep_and_to_reach(
    ask: Ask, held: str | None, to_stay: str | None, next_tier: str | None
) -> None:
    answer = ask(QUESTION if held is None else {**QUESTION, "held": held})

    assert answer["tier"]["key"] == "silver"
    assert (answer["to_stay"] and answer["to_stay"]["key"]) == to_stay
    assert (answer["next_tier"] and answer["next_tier"]["key"]) == next_tier


def test_who_holds_a_tier_stays_by_its_keep_criteria(ask: Ask) -> None:
    gold = ask({**QUESTION, "held": "gold"})["to_stay"]
    platinum = ask({**QUESTION, "held": "platinum"})["to_stay"]

    assert gold["steps"] == []
    assert {each["metric"]: each["shortfall"] for each in platinum["steps"]} == {
        "revenue_12m": 1550000,
        "orders": 3,
    }


# -- undetermined ----------------------------------------------------------------------------


def test_what_cannot_be_decided_without_is_named_and_no_tier_is(types: Flask) -> None:
    answer = answered(post(types, {"facts": {"spend": 2000}}))

    assert answer["tier"] is None
    assert answer["undetermined"] == {
        "missing": ["debt"],
        "at_least": {"key": "silver", "name": "silver"},
    }
    assert answer["sentences"][0] == (
        "Which tier it is cannot be said until debt is known; at least silver holds."
    )


@pytest.mark.parametrize(
    ("facts", "tier"),
    [({"spend": 2000, "debt": 0}, "gold"), ({"spend": 2000, "debt": 1}, "silver")],
)
def test_once_it_is_known_there_is_a_tier(types: Flask, facts: dict[str, int], tier: str) -> None:
    answer = answered(post(types, {"facts": facts}))

    assert (answer["tier"]["key"], answer["undetermined"]) == (tier, None)


def test_what_could_not_lift_the_client_anyway_may_be_missing(types: Flask) -> None:
    assert answered(post(types, {"facts": {"spend": 1999}}))["tier"]["key"] == "silver"


# -- language --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        *(("en", "Silver"), ("en-GB, en;q=0.5", "Silver"), ("zh-CN", "Silver"), ("*", "Silver")),
        *(("en, uk;q=0.9", "Silver"), ("de", "Silver")),
        *(("", "Silver"), (";;;", "Silver"), ("en_@x", "Silver"), ("x" * 3000, "Silver")),
        (", ".join(f"x{number}" for number in range(999)), "Silver"),
    ],
)
def test_sentences_are_in_a_language_there_is_and_names_in_the_one_that_is_wanted(
    app: Flask, wanted: str, name: str
) -> None:
    response = app.test_client().post(
        EVALUATIONS, json=QUESTION, headers={"Accept-Language": wanted}
    )

    assert answered(response)["tier"] == {"key": "silver", "name": name}
    assert answered(response)["sentences"][0] == f"The tier is {name}."
    assert response.content_language.as_set() == {"en"}


@pytest.mark.parametrize("wanted", ["uk", "uk-UA, en;q=0.9", "de, uk;q=0.9, en;q=0.1"])
def test_an_answer_is_in_the_language_wanted(app: Flask, wanted: str) -> None:
    response = app.test_client().post(
        EVALUATIONS, json=QUESTION, headers={"Accept-Language": wanted}
    )

    found = answered(response)
    assert found["tier"] == {"key": "silver", "name": "Срібло"}
    assert found["sentences"][0] == "Рівень: «Срібло»."
    assert response.content_language.as_set() == {"uk"}
    assert "accept-language" in response.vary


# -- what is refused -------------------------------------------------------------------------

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b" \n",
    "no JSON": b"{facts: {}}",
    "half a question": b'{"facts": {',
    "two questions": b'{"facts": {}} {"facts": {}}',
    "a form": b"facts=1",
    "not a number": b'{"facts": {"spend": NaN}}',
    "infinity": b'{"facts": {"spend": Infinity}}',
    "minus infinity": b'{"facts": {"spend": -Infinity}}',
    "1e400": b'{"facts": {"spend": 1e400}}',
    "1e99999": b'{"facts": {"rating": 1e99999}}',
    "-1e99999": b'{"facts": {"rating": -1e99999}}',
    "1e-99999": b'{"facts": {"rating": 1e-99999}}',
    "an exponent beyond all": b'{"facts": {"rating": 1e' + b"9" * 30 + b"}}",
    "5000 digits": b'{"facts": {"spend": ' + b"9" * 5000 + b"}}",
    "a fact twice": b'{"facts": {"spend": 1, "spend": 2}}',
    "the facts twice": b'{"facts": {}, "facts": {}}',
    "200,000 brackets": b"[" * 200_000,
    "100,000 objects in each other": b'{"facts":' * 100_000,
    "half a character": b'{"facts": {"trade": "\\ud800"}}',
    "half a character as a name": b'{"facts": {"\\udfff": 1}}',
    "half a character, raw": b'{"facts": {"trade": "\xed\xa0\x80"}}',
    "Latin-1": '{"facts": {"trade": "café"}}'.encode("latin-1"),
    "UTF-16": '{"facts": {}}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"facts": {}}',
    "NUL": b'{"facts": {}}\x00',
    "leading zeros": b'{"facts": {"spend": 007}}',
    "a plus sign": b'{"facts": {"spend": +7}}',
    "hexadecimal": b'{"facts": {"spend": 0x7}}',
    "a line break in a text": b'{"facts": {"trade": "ho\ntel"}}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_in_one_way_only_is_refused(types: Flask, body: bytes) -> None:
    found = problem(post(types, body), 400)

    assert found["type"] == "urn:merit:problem:not-json"
    assert len(found["detail"]) < 200


WRONG: dict[str, tuple[str, str]] = {
    "null": ("null", ""),
    "true": ("true", ""),
    "a number": ("5", ""),
    "a text": ('"facts"', ""),
    "no facts": ("{}", "facts"),
    "facts null": ('{"facts": null}', "facts"),
    "facts a list": ('{"facts": []}', "facts"),
    "facts a text": ('{"facts": "spend"}', "facts"),
    "facts a number": ('{"facts": 5}', "facts"),
    "facts beside the question": ('{"facts": {}, "spend": 5}', "spend"),
    "an empty name": ('{"facts": {}, "": 5}', ""),
    "date null": ('{"facts": {}, "date": null}', "date"),
    "date a number": ('{"facts": {}, "date": 20260701}', "date"),
    "date a list": ('{"facts": {}, "date": ["2026-07-01"]}', "date"),
    "client null": ('{"facts": {}, "client": null}', "client"),
    "client a number": ('{"facts": {}, "client": 17}', "client"),
    "client a list": ('{"facts": {}, "client": ["C-17"]}', "client"),
    "held null": ('{"facts": {}, "held": null}', "held"),
    "held a number": ('{"facts": {}, "held": 1}', "held"),
    "currency null": ('{"facts": {}, "currency": null}', "currency"),
    **{
        f"date {text}": (f'{{"facts": {{}}, "date": "{text}"}}', "date")
        for text in (
            *("", "today", "0001-01-01", "9999-12-31", "0000-00-00", "10000-01-01"),
            *("1969-12-31", "2200-01-01", "2011-02-30", "2023-02-29", "2026-13-01", "2026-00-10"),
            *("2026-07-01T00:00:00", "2026-07-01T00:00:00Z", "2026-07-01 ", " 2026-07-01"),
            *("20260701", "2026-W27-3", "2026-182", "01/07/2026", "2026-7-1", "-2026-07-01"),
            *("２０２６-07-01", "2026-07-01\\n", "2026-07-01\\u0000"),
        )
    },
    **{
        f"client {text}": (f'{{"facts": {{}}, "client": "{text}"}}', "client")
        for text in ("", "a b", "ü", "C/17", "C-17\\n", "\\u0000", "x" * 65, "../etc/passwd")
    },
    **{
        f"held {text}": (f'{{"facts": {{}}, "held": "{text}"}}', "held")
        for text in ("", "bronze", "Silver", "silver ", "silver\\n", "x" * 64)
    },
    **{
        f"currency {text}": (f'{{"facts": {{}}, "currency": "{text}"}}', "currency")
        for text in ("", "USD", "GBP", "eur", "EURO", "€", "EUR\\n")
    },
}
"""What is wrong with a question, and the field that has to be named."""

NUMBERS = ("spend", "visits", "idle", "debt", "visit_spend", "potential", "age")
WRONG_FACTS: dict[str, tuple[str, ...]] = {
    '"100"': (*NUMBERS, "rating", "birthday", "member", "trade"),
    '""': (*NUMBERS, "rating", "birthday", "member", "trade"),
    "true": (*NUMBERS, "rating", "birthday", "trade"),
    "false": (*NUMBERS, "rating", "birthday", "trade"),
    "{}": (*NUMBERS, "rating", "birthday", "member", "trade"),
    '{"$gt": 0}': (*NUMBERS, "rating", "birthday", "member", "trade"),
    "[]": (*NUMBERS, "rating", "birthday", "member", "trade"),
    "[100]": (*NUMBERS, "rating", "birthday", "member", "trade"),
    "10.5": (*NUMBERS, "birthday", "member", "trade"),
    "0.1": (*NUMBERS, "birthday", "member", "trade"),
    "1000000000000001": (*NUMBERS, "rating"),
    "-1000000000000001": (*NUMBERS, "rating"),
    "1e30": (*NUMBERS, "rating"),
    "100000000000000.1": ("rating",),
    "0.0000000000001": ("rating",),
    "0": ("birthday", "member", "trade"),
    "1": ("birthday", "member", "trade"),
    '"yes"': ("member",),
    '"true"': ("member",),
    '"Hotel"': ("trade",),
    '"hotel "': ("trade",),
    '"2026-07-01"': ("spend", "member", "trade"),
    '"2011-02-30"': ("birthday",),
    '"0001-01-01"': ("birthday",),
    '"1799-12-31"': ("birthday",),
    '"2300-01-01"': ("birthday",),
    '"9999-12-31"': ("birthday",),
    '"2026-07-01T10:00:00Z"': ("birthday",),
    "20260701": ("birthday",),
    "null": ("unheard_of", "", "spend ", "Spend", "facts.spend", "__class__"),
    "5": ("unheard_of", "client", "date", "a1"),
}
"""A value, and the facts it cannot be."""

WRONG |= {
    f"{key!r} {raw}": (f'{{"facts": {{"{key}": {raw}}}}}', f"facts.{key}".rstrip("."))
    for raw, keys in WRONG_FACTS.items()
    for key in keys
}
WRONG |= {
    "a sum too large": ('{"facts": {"spend": 1000000000001}}', "facts.potential"),
    "a sum too low": ('{"facts": {"spend": -1000000000001}}', "facts.potential"),
}


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_named_by_its_field(types: Flask, body: str, field: str) -> None:
    found = problem(post(types, body), 422)

    assert found["type"] == "urn:merit:problem:facts-invalid"
    assert list(found["errors"]) == [field]


@pytest.mark.parametrize(("body", "field"), WRONG.values(), ids=WRONG)
def test_among_others_it_is_named_by_its_place_too_and_no_other_is_answered(
    types: Flask, body: str, field: str
) -> None:
    found = problem(post(types, f'[{{"facts": {{}}}}, {body}, {{"facts": {{}}}}]'), 422)

    assert list(found["errors"]) == [f"[1].{field}".rstrip(".")]


def test_everything_wrong_is_said_at_once(app: Flask) -> None:
    question = {
        "facts": {"revenue_12m": "much", "orders": 1.5, "glamour": 3},
        "held": "bronze",
        "currency": "USD",
    }

    errors = problem(post(app, [question, {"date": "never"}, QUESTION]), 422)["errors"]

    assert errors == {
        "[0].facts.revenue_12m": [
            "must be a whole number of minor units (cents, pence …) between "
            "-1000000000000000 and 1000000000000000"
        ],
        "[0].facts.orders": [
            "must be a whole number between -1000000000000000 and 1000000000000000"
        ],
        "[0].facts.glamour": [
            "is not a metric of this policy; these are cancellations, cancelled_share, "
            "days_since_order, orders, or revenue_12m"
        ],
        "[0].held": ["is not a tier of this policy"],
        "[0].currency": ["must be GBP, the policy's"],
        "[1].date": [
            "must be a day that exists, written YYYY-MM-DD, from 1800-01-01 to 2299-12-31"
        ],
        "[1].facts": ["must be given, or changed, and not both"],
    }


def test_a_body_full_of_mistakes_does_not_make_a_gigantic_answer(app: Flask) -> None:
    mistakes = {f"a{number}": 1 for number in range(MOST_FACTS)}

    many_facts = post(app, {"facts": {f"a{number}": 1 for number in range(600_000)}})
    many_questions = post(app, [{"facts": mistakes}] * MOST_AT_ONCE)

    assert list(problem(many_facts, 422)["errors"]) == ["facts"]
    assert MOST_PROBLEMS <= len(problem(many_questions, 422)["errors"]) <= 2 * MOST_PROBLEMS


def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not(app: Flask) -> None:
    question = dumps(QUESTION).encode()

    assert post(app, question.ljust(LARGEST_BODY)).status_code == 200
    assert problem(post(app, question.ljust(LARGEST_BODY + 1)), 413)["detail"] == (
        "The body must be at most 8 MiB."
    )


def streamed(app: Flask, stream: RawIOBase) -> TestResponse:
    """Send a body in pieces, as a server hands it on, without its size."""
    return app.test_client().post(
        EVALUATIONS,
        content_type="application/json",
        environ_overrides={
            "wsgi.input": stream,
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    )


class Stream(RawIOBase):
    """A body followed by blanks, which never end if there is no limit to them."""

    def __init__(self, body: bytes, blanks: float) -> None:
        self._rest, self._blanks, self.read_so_far = body, blanks, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        piece, self._rest = self._rest[:size], self._rest[size:]
        if not piece and self._blanks > 0:
            piece = b" " * int(min(size, self._blanks))
            self._blanks -= len(piece)
        buffer[: len(piece)] = piece
        self.read_so_far += len(piece)
        return len(piece)


def test_a_body_that_does_not_say_its_size_is_read_to_its_end(app: Flask) -> None:
    stream = Stream(dumps(QUESTION).encode(), 100_000)

    assert answered(streamed(app, stream))["tier"]["key"] == "silver"


@pytest.mark.parametrize("blanks", [LARGEST_BODY, inf])
def test_a_body_that_does_not_say_its_size_is_neither_read_without_end_nor_cut_off(
    app: Flask, blanks: float
) -> None:
    stream = Stream(dumps(QUESTION).encode(), blanks)

    problem(streamed(app, stream), 413)
    assert stream.read_so_far <= LARGEST_BODY


@pytest.mark.parametrize(
    "content_type",
    [
        *("text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data"),
        *("application/merge-patch+json", "application/jsonp", "application/json2", "*/*", ""),
    ],
)
def test_a_body_that_is_not_said_to_be_json_is_refused(app: Flask, content_type: str) -> None:
    found = problem(post(app, QUESTION, content_type), 415)

    assert found["type"] == "urn:merit:problem:unsupported-media-type"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_said_in_several_ways(app: Flask, content_type: str) -> None:
    assert answered(post(app, QUESTION, content_type))["tier"]["key"] == "silver"


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False).map(str).map(Decimal)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
_PARTS = dict.fromkeys(("facts", "date", "client", "held", "currency", "extra"), _JSON)
_ODD = st.fixed_dictionaries({}, optional=_PARTS) | st.fixed_dictionaries(
    {"facts": st.dictionaries(st.sampled_from([each["key"] for each in TYPES["metrics"]]), _JSON)}
)


@settings(max_examples=200)
@given(body=st.binary(max_size=60) | (_ODD | st.lists(_ODD, max_size=4) | _JSON).map(dumps))
@example(body=b"\x80")
def test_whatever_is_sent_is_answered_or_refused(types: Flask, body: bytes | str) -> None:
    response = post(types, body)

    if response.status_code != 200:
        problem(response, 422 if response.status_code == 422 else 400)
    else:
        assert loads(body)
