"""``policy rehearse``: how a client would stand over time, from dated facts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from app.config import Config
from app.services.letters import Addressee, letters_of
from app.services.policies import PolicyInForce, prepare
from app.services.rehearsal import change, read_sequence, rehearse, written
from rules.document.strict_json import loads
from rules.facts import FactsInvalid
from tests.app.asking import EXAMPLE
from tests.rules.builders import Document, condition, metric, option, policy_document, tier

FIRST = date(2026, 1, 1)
FAILING = date(2026, 3, 1)
"""The day from which the client of these tests no longer keeps Gold."""

NOTICE = {"kind": "notice"}
WAYS: Mapping[str, Sequence[Document]] = {
    "deferred transfer": [NOTICE, {"kind": "demote", "days": 60, "to": "entitled"}],
    "reduced bonus": [
        NOTICE,
        {"kind": "withdraw", "days": 30, "benefits": ["queue"]},
        {"kind": "withdraw", "months": 1, "benefits": ["manager"]},
        {"kind": "demote", "days": 30, "to": "entitled"},
    ],
    "both": [
        NOTICE,
        {"kind": "withdraw", "days": 60, "benefits": ["queue", "manager"]},
        {
            "kind": "demote",
            "days": 30,
            "to": "one_rung",
            "landing": {"kind": "fixed", "n": 3, "unit": "months"},
        },
    ],
}


def _document(way: str) -> Document:
    spend = [metric("spend", "count")]
    tiers = [
        tier("bronze", entry=condition("spend", "at_least", 1)),
        tier("silver", entry=condition("spend", "at_least", 20)),
        tier(
            "gold",
            entry=condition("spend", "at_least", 50),
            keep=condition("spend", "at_least", 40),
            benefits=[option("queue"), option("manager")],
            demotion="way",
        ),
    ]
    demotion = {**option("way"), "steps": list(WAYS[way])}
    return policy_document(spend, tiers, demotion_policies=[demotion])


@cache
def _policy(way: str = "deferred transfer") -> PolicyInForce:
    return prepare(_document(way))


def rehearsed(
    way: str, dated: Mapping[str, int | None], **parts: Any
) -> dict[str, Mapping[str, Any]]:
    """Return how a client stands on each date, whose spend is given by date."""
    steps = [{"date": day, "facts": {"spend": spend}} for day, spend in dated.items()]
    with_policy = _policy(way)
    sequence = read_sequence(with_policy.policy, {"steps": steps, **parts})
    found = [written(with_policy.policy, each) for each in rehearse(with_policy, sequence)]
    assert [each["date"] for each in found] == list(dated)
    return {each["date"]: each for each in found}


def nightly(last: date, spend: int = 10) -> dict[str, int | None]:
    """Return Gold from FIRST, then a spend that does not keep it, every night until ``last``."""
    nights = (last - FAILING).days + 1
    failing = {(FAILING + timedelta(days=n)).isoformat(): spend for n in range(nights)}
    return {FIRST.isoformat(): 50, **failing}


def happened(found: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the events of the dates that have any, and the tier or benefits they are about."""
    return {
        day: [
            " ".join([each["event"], *each.get("benefits", [each["tier"]])])
            for each in standing["events"]
        ]
        for day, standing in found.items()
        if standing["events"]
    }


# -- the three ways ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "events"),
    [
        (
            "deferred transfer",
            {"2026-03-01": ["notice_given gold"], "2026-04-30": ["demoted bronze"]},
        ),
        (
            "reduced bonus",
            {
                "2026-03-01": ["notice_given gold"],
                "2026-03-31": ["benefit_withdrawn queue"],
                "2026-04-30": ["benefit_withdrawn manager"],
                "2026-05-30": ["demoted bronze"],
            },
        ),
        (
            "both",
            {
                "2026-03-01": ["notice_given gold"],
                "2026-04-30": ["benefit_withdrawn queue manager"],
                "2026-05-30": ["demoted silver"],
                "2026-08-30": ["demoted bronze"],
            },
        ),
    ],
)
def test_who_no_longer_keeps_gold_is_led_down_in_this_way(
    way: str, events: dict[str, list[str]]
) -> None:
    found = rehearsed(way, nightly(date(2026, 9, 1)))

    assert happened(found) == {"2026-01-01": ["promoted gold"], **events}
    assert found["2026-09-01"]["tier"] == found["2026-09-01"]["entitled"] == "bronze"


def test_on_the_way_down_a_client_knows_the_state_and_the_last_day_to_mend() -> None:
    found = rehearsed("reduced bonus", nightly(date(2026, 5, 30)))

    told = {
        day: (found[day]["state"], found[day]["deadline"], found[day]["withdrawn"])
        for day in ("2026-01-01", "2026-03-01", "2026-03-31", "2026-04-30", "2026-05-30")
    }
    assert told == {
        "2026-01-01": ("secure", None, []),
        "2026-03-01": ("on_notice", "2026-05-29", []),
        "2026-03-31": ("reduced", "2026-05-29", ["queue"]),
        "2026-04-30": ("reduced", "2026-05-29", ["queue", "manager"]),
        "2026-05-30": ("secure", None, []),
    }


def test_a_landing_is_a_ground_with_an_end() -> None:
    found = rehearsed("both", nightly(date(2026, 8, 30)))

    assert found["2026-05-29"]["ground"] == {"cause": "grace", "until": "2026-05-29"}
    assert found["2026-05-30"]["ground"] == {"cause": "landing", "until": "2026-08-29"}
    assert found["2026-08-30"]["ground"] == {"cause": "earned", "until": None}


@pytest.mark.parametrize("way", WAYS)
def test_who_keeps_gold_again_is_reinstated_with_every_benefit(way: str) -> None:
    found = rehearsed(way, {**nightly(date(2026, 4, 29)), "2026-04-30": 40})

    last = found["2026-04-30"]
    assert [each["event"] for each in last["events"]][-1:] == ["reinstated"]
    assert (last["held"], last["state"], last["deadline"]) == ("gold", "secure", None)
    assert last["withdrawn"] == []


# -- beside the rules ------------------------------------------------------------------------------


def test_a_hold_keeps_the_tier_and_stops_the_clock_for_its_days() -> None:
    hold = {"kind": "hold", "first": "2026-03-11", "last": "2026-03-20"}
    found = rehearsed("deferred transfer", nightly(date(2026, 5, 10)), measures=[hold])

    assert found["2026-03-11"]["state"] == found["2026-03-20"]["state"] == "on_hold"
    assert found["2026-03-21"]["state"] == "on_notice"
    assert happened(found) == {
        "2026-01-01": ["promoted gold"],
        "2026-03-01": ["notice_given gold"],
        "2026-03-11": ["hold_set gold"],
        "2026-03-21": ["hold_ended gold"],
        "2026-05-10": ["demoted bronze"],
    }


@pytest.mark.parametrize(
    ("kind", "named", "tier_in_force"),
    [
        ("floor", "gold", "gold"),
        ("floor", "bronze", "silver"),
        ("ceiling", "bronze", "bronze"),
        ("ceiling", "gold", "silver"),
        ("exact", "gold", "gold"),
        ("exact", "base", "base"),
    ],
)
def test_an_override_goes_over_the_tier_held_until_its_end(
    kind: str, named: str, tier_in_force: str
) -> None:
    override = {"kind": kind, "tier": named, "first": "2026-01-02", "last": "2026-01-02"}
    dated = {"2026-01-01": 20, "2026-01-02": 20, "2026-01-03": 20}
    found = rehearsed("both", dated, measures=[override])

    assert [each["held"] for each in found.values()] == ["silver"] * 3
    assert [each["tier"] for each in found.values()] == ["silver", tier_in_force, "silver"]
    assert [each["state"] for each in found.values()] == ["secure", "overridden", "secure"]


# -- where a client comes from ---------------------------------------------------------------------


def test_facts_are_of_their_own_date_alone() -> None:
    found = rehearsed("both", {"2026-01-01": 50, "2026-01-02": None})

    assert found["2026-01-01"]["entitled"] == "gold"
    assert found["2026-01-02"]["entitled"] == "base"


def test_a_client_comes_in_with_a_tier_that_ends() -> None:
    start = {"tier": "gold", "since": "2025-01-01", "until": "2026-01-02"}
    found = rehearsed("both", {"2026-01-02": 1, "2026-01-03": 1}, start=start)

    assert found["2026-01-02"]["since"] == "2025-01-01"
    assert found["2026-01-02"]["ground"] == {"cause": "earned", "until": "2026-01-02"}
    assert happened(found) == {"2026-01-03": ["notice_given gold"]}


def test_a_client_comes_in_with_a_tier_that_ended_long_ago_and_was_never_taken_away() -> None:
    start = {"tier": "gold", "until": "2025-06-30"}
    found = rehearsed("both", {"2026-01-02": 45}, start=start)

    assert found["2026-01-02"]["held"] == "gold"
    assert found["2026-01-02"]["since"] == "2025-06-30"


def test_a_client_who_comes_in_with_a_tier_loses_it_unless_it_is_kept() -> None:
    start = {"tier": "silver"}

    assert rehearsed("both", {"2026-01-02": 20}, start=start)["2026-01-02"]["held"] == "silver"
    assert rehearsed("both", {"2026-01-02": 19}, start=start)["2026-01-02"]["held"] == "bronze"


def test_a_client_may_come_in_with_the_lowest_tier() -> None:
    found = rehearsed("both", {"2026-01-02": 0}, start={"tier": "base", "until": "2027-01-01"})

    assert found["2026-01-02"]["ground"] is None


# -- what is refused -------------------------------------------------------------------------------

STEP: Document = {"date": "2026-01-02", "facts": {"spend": 1}}
HOLD: Document = {"kind": "hold", "first": "2026-01-02", "last": "2026-01-02"}
NO_DAY = "must be a day that exists, written YYYY-MM-DD, from 1800-01-01 to 2299-12-31"
NO_TIER = "is not a tier of this policy; these are base, bronze, silver or gold"


@pytest.mark.parametrize(
    ("sequence", "where", "sentence"),
    [
        ({}, "steps", "is missing"),
        ({"steps": []}, "steps", "must have 1 to 5000 entries"),
        ({"steps": [STEP] * 5001}, "steps", "must have 1 to 5000 entries"),
        ({"steps": [STEP], "name": "x"}, "name", "is not known here; known are measures, start "
         "or steps"),
        ({"steps": [STEP, STEP]}, "steps[1].date", "must be after the date before it"),
        ({"steps": [STEP, {**STEP, "date": "2026-01-01"}]}, "steps[1].date", "must be after the "
         "date before it"),
        ({"steps": [{**STEP, "date": "2026-02-30"}]}, "steps[0].date", NO_DAY),
        ({"steps": [{**STEP, "date": "1969-12-31"}]}, "steps[0].date", "must be a business date "
         "from 1970-01-01 to 2199-12-31"),
        ({"steps": [{"date": "2026-01-02"}]}, "steps[0].facts", "is missing"),
        ({"steps": [{**STEP, "facts": []}]}, "steps[0].facts", "must be an object: {…}"),
        ({"steps": [{**STEP, "facts": {"orders": 1}}]}, "steps[0].facts.orders", "is not a metric "
         "of this policy; these are spend"),
        ({"steps": [{**STEP, "facts": {"spend": "1"}}]}, "steps[0].facts.spend", "must be a whole "
         "number between -1000000000000000 and 1000000000000000"),
        ({"steps": [STEP], "start": {"tier": "iron"}}, "start.tier", NO_TIER),
        ({"steps": [STEP], "start": {"until": "2026-01-02"}}, "start.tier", "is missing"),
        ({"steps": [STEP], "start": {"tier": "gold", "since": "2026-01-02"}}, "start.since",
         "must be before the first date"),
        ({"steps": [STEP], "start": {"tier": "gold", "since": "2026-01-01",
         "until": "2025-12-31"}}, "start.until", "must not be before since"),
        ({"steps": [STEP], "measures": [{**HOLD, "last": "2026-01-01"}]}, "measures[0].last",
         "must not be before first"),
        ({"steps": [STEP], "measures": [{**HOLD, "tier": "gold"}]}, "measures[0].tier",
         "must be left out of a hold"),
        ({"steps": [STEP], "measures": [{**HOLD, "kind": "floor"}]}, "measures[0].tier",
         "is missing"),
        ({"steps": [STEP], "measures": [{**HOLD, "kind": "exact", "tier": "iron"}]},
         "measures[0].tier", NO_TIER),
        ({"steps": [STEP], "measures": [{**HOLD, "kind": "lock"}]}, "measures[0].kind",
         "must be hold, floor, ceiling or exact"),
        ({"steps": [STEP], "measures": [HOLD] * 101}, "measures", "must have 0 to 100 entries"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_sequence_is_said_at_its_place(
    sequence: Document, where: str, sentence: str
) -> None:
    with pytest.raises(FactsInvalid) as refused:
        read_sequence(_policy().policy, sequence)

    assert {each.path: each.message for each in refused.value.problems} == {where: sentence}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong = {
        "start": {"tier": "iron"},
        "measures": [{**HOLD, "kind": "floor", "tier": "tin"}],
        "steps": [STEP, {"date": "2026-01-01", "facts": {"orders": 1, "spend": True}}],
    }
    with pytest.raises(FactsInvalid) as refused:
        read_sequence(_policy().policy, wrong)

    assert {each.path for each in refused.value.problems} == {
        "start.tier",
        "measures[0].tier",
        "steps[1].date",
        "steps[1].facts.orders",
        "steps[1].facts.spend",
    }


# -- the command -----------------------------------------------------------------------------------


def _run(sequence: Path, *options: str) -> Any:
    runner = create_app(Config()).test_cli_runner()
    return runner.invoke(args=["policy", "rehearse", str(EXAMPLE), str(sequence), *options])


def test_the_command_prints_a_line_for_each_date(tmp_path: Path) -> None:
    facts = {"revenue_12m": 100000, "orders": 3, "days_since_order": 180}
    steps = [{"date": f"2026-07-0{day}", "facts": facts} for day in (1, 2)]
    path = tmp_path / "sequence.json"
    path.write_text(json.dumps({"steps": steps}), "utf-8")

    result = _run(path)

    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {
            "date": f"2026-07-0{day}",
            "entitled": "silver",
            "held": "silver",
            "tier": "silver",
            "since": "2026-07-01",
            "state": "secure",
            "ground": {"cause": "earned", "until": None},
            "deadline": None,
            "withdrawn": [],
            "events": events,
        }
        for day, events in [
            (1, [{"event": "promoted", "tier": "silver", "before": "standard"}]),
            (2, []),
        ]
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"steps": 1}', "steps: must be a list: […]"),
        ("[]", "steps: is missing"),
        ("nonsense", "line 1"),
        (None, "cannot be read"),
    ],
)
def test_the_command_says_plainly_what_cannot_be_rehearsed(
    tmp_path: Path, content: str | None, said: str
) -> None:
    path = tmp_path / "sequence.json"
    if content is not None:
        path.write_text(content, "utf-8")

    result = _run(path)

    assert result.exit_code == 1
    assert "sequence.json" in result.stderr
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("options", "heading", "subject", "salutation"),
    [
        ((), "en", "Your tier Gold: how to keep it, until June 29, 2026", "Dear client,"),
        (
            ("--language", "en-GB", "--name", "Mary Seton"),
            "en-GB",
            "Your tier Gold: how to keep it, until 29 June 2026",
            "Dear Mary Seton,",
        ),
        (
            ("--language", "uk"),
            "uk",
            "Ваш рівень Золото: як його зберегти до 29 червня 2026 року",
            "Доброго дня, шановний клієнте!",
        ),
    ],
)
def test_the_command_prints_the_letters_that_would_go_out(
    tmp_path: Path, options: tuple[str, ...], heading: str, subject: str, salutation: str
) -> None:
    rich = {"revenue_12m": 500000, "orders": 6, "days_since_order": 9, "cancelled_share": 0}
    poor = {**rich, "revenue_12m": 300000}
    steps = [{"date": "2026-01-01", "facts": rich}, {"date": "2026-04-01", "facts": poor}]
    path = tmp_path / "sequence.json"
    path.write_text(json.dumps({"steps": steps}), "utf-8")

    result = _run(path, "--letters", *options)

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:5] == [f"== 2026-04-01  notice_given  {heading}", subject, "", salutation, ""]
    assert "$" not in result.stdout
    assert lines.count(lines[0]) == len([each for each in lines if each.startswith("==")]) == 1


def test_every_letter_of_the_example_can_be_written_in_both_its_languages() -> None:
    ready = prepare(loads(EXAMPLE.read_bytes()))  # type: ignore[arg-type]  # an object
    facts = {"orders": 10, "days_since_order": 9, "cancelled_share": 0}
    spent = {
        "2026-01-01": 0,
        "2026-01-02": 2_000_000,
        "2026-06-01": 1_000_000,
        "2026-07-01": 1_000_000,
        "2026-07-09": 2_000_000,
        "2026-08-01": 50_000,
        "2026-08-31": 50_000,
        "2026-10-30": 50_000,
        "2027-02-01": 50_000,
        "2027-04-02": 50_000,
    }
    steps = [{"date": day, "facts": {**facts, "revenue_12m": all_}} for day, all_ in spent.items()]
    sequence = read_sequence(ready.policy, {"steps": steps})
    for language in ("en", "uk"):
        found = [
            letter
            for each in rehearse(ready, sequence)
            for letter in letters_of(change(ready, each, language), Addressee("Mary Seton"))
        ]

        assert {each.event for each in found} == {
            *("promoted", "notice_given", "benefit_withdrawn", "reinstated", "demoted"),
        }
        for each in found:
            assert each.language == language
            assert "Mary Seton" in each.text
            assert "$" not in each.text
            assert "None" not in each.text
            english = re.findall("[A-Za-z]{2,}", each.text.replace("Mary Seton", ""))
            assert language == "en" or set(english) <= {"GBP"}, each.text
