"""Every answer says why: each condition, each tier, the nearest ways, in words and in numbers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from rules.criteria import Condition, walk
from rules.document import load
from rules.document.strict_json import loads
from rules.explain import Explainer, Explanation, Reason
from rules.judge import Judge
from rules.messages import Listed, Message
from rules.policy import Facts
from rules.vocabulary import Missing, Value
from tests.generate import Shape, clients, random_document
from tests.rules.builders import (
    Document,
    activities,
    condition,
    metric,
    names,
    option,
    policy_document,
    tier,
)

ROOT = Path(__file__).parents[2]
DAY = date(2026, 7, 1)


def judge_of(metrics: list[Document], *tiers: Document, **more: object) -> Judge:
    return Judge(load(policy_document(metrics, tiers, **more)))


def explained(judge: Judge, facts: Facts, held: str | None = None, day: date = DAY) -> Explanation:
    return Explainer(judge).explain(facts, judge.judge(facts), day, held)


def said(reasons: tuple[Reason, ...]) -> list[str]:
    return [str(reason.sentence) for reason in reasons]


# -- a client of the wholesale example, word for word ------------------------------------------


@pytest.fixture(scope="module")
def wholesale() -> Judge:
    return Judge(load(loads((ROOT / "examples" / "wholesale.json").read_bytes())))


SILVER: Facts = {
    "revenue_12m": 450_000,
    "orders": 7,
    "cancellations": 2,
    "days_since_order": 200,
    "cancelled_share": Fraction(2000, 7),
}


def test_a_client_who_slipped_reads_how_to_stay_and_how_to_rise(wholesale: Judge) -> None:
    found = explained(wholesale, SILVER, held="silver")

    assert [str(each) for each in found.sentences] == [
        "The tier is Standard.",
        "Nothing is missing to keep Silver.",
        "For Gold: Revenue in the last 12 months has to rise by 50000 to 500000 and "
        "Days since the last order has to fall by 80 to 120.",
    ]
    assert said(found.reasons) == [
        "Revenue in the last 12 months is 450000; Silver asks for at least 100000: fulfilled.",
        "Number of orders is 7; Silver asks for at least 3: fulfilled.",
        "Days since the last order is 200; Silver asks for at most 180: 20 too much.",
        "Revenue in the last 12 months is 450000; keeping Silver asks for at least 80000: "
        "fulfilled.",
        "Days since the last order is 200; keeping Silver asks for at most 240: fulfilled.",
        "Revenue in the last 12 months is 450000; Gold asks for at least 500000: 50000 short.",
        "Number of orders is 7; Gold asks for at least 6: fulfilled.",
        "Days since the last order is 200; Gold asks for at most 120: 80 too much.",
        "Cancellations per order is 28.5714286; Gold asks for less than 50: fulfilled.",
        "Revenue in the last 12 months is 450000; keeping Gold asks for at least 400000: "
        "fulfilled.",
        "Days since the last order is 200; keeping Gold asks for at most 180: 20 too much.",
        "Revenue in the last 12 months is 450000; Platinum asks for at least 2000000: "
        "1550000 short.",
        "Number of orders is 7; Platinum asks for at least 10: 3 short.",
        "Days since the last order is 200; Platinum asks for at most 90: 110 too much.",
        "Cancellations per order is 28.5714286; Platinum asks for less than 40: fulfilled.",
        "Number of orders is 7; “Was regular, stopped” means at least 3: fulfilled.",
        "Days since the last order is 200; “Was regular, stopped” means more than 180: fulfilled.",
    ]


def test_each_tier_and_segment_is_said_to_hold_or_not(wholesale: Judge) -> None:
    found = explained(wholesale, SILVER)

    assert found.qualifies == {"standard": True, "silver": False, "gold": False, "platinum": False}
    assert found.keeps == {"standard": True, "silver": True, "gold": False, "platinum": False}
    assert [each.key for each in found.segments] == ["lost"]
    assert (found.tier, found.at_least) == (wholesale.policy.tiers[0],) * 2


def test_at_the_top_there_is_no_next_tier(wholesale: Judge) -> None:
    best: Facts = {
        "revenue_12m": 2_000_000,
        "orders": 10,
        "days_since_order": 90,
        "cancelled_share": 0,
    }
    found = explained(wholesale, best)

    assert found.next_tier is None
    assert [str(each) for each in found.sentences] == [
        "The tier is Platinum.",
        "Nothing is missing to keep Platinum.",
    ]


def test_at_the_bottom_there_is_nothing_to_keep(wholesale: Judge) -> None:
    found = explained(wholesale, {"revenue_12m": 0, "orders": 0})

    assert found.to_stay is None
    assert [str(each) for each in found.sentences] == [
        "The tier is Standard.",
        "For Silver: Revenue in the last 12 months has to rise by 100000 to 100000, "
        "Number of orders has to rise by 3 to 3 and Days since the last order has to be 180.",
    ]
    assert said(found.reasons)[2] == (
        "Days since the last order is not known; Silver asks for at most 180."
    )


# -- sentences ---------------------------------------------------------------------------------


def sentences_about(entry: Document, facts: Facts, *metrics: Document) -> list[str]:
    """Return what is said about the conditions of a tier called Gold."""
    judge = judge_of([*metrics], {**tier("gold", entry=entry), "name": names("Gold")})
    return said(explained(judge, facts).reasons)


def test_what_is_not_fulfilled_and_cannot_be_counted_is_only_said_to_be_so() -> None:
    options = [{**option("hotel"), "name": names("Hotel")}, option("shop")]
    kind = {**metric("kind", "choice", options=options), "name": names("Line of business")}

    assert sentences_about(condition("kind", "is", "hotel"), {"kind": "shop"}, kind) == [
        "Line of business is shop; Gold asks for hotel: not fulfilled."
    ]


def test_what_speaks_against_a_tier_is_said_to() -> None:
    debts = metric("debts", "count")
    against: Document = {"none": [condition("debts", "more_than", 2)]}

    assert sentences_about(against, {"debts": 2}, debts) == [
        "debts is 2; more than 2 speaks against Gold: fulfilled."
    ]
    assert sentences_about(against, {"debts": 5}, debts) == [
        "debts is 5; more than 2 speaks against Gold: 3 too much."
    ]
    assert sentences_about({"none": [against]}, {"debts": 2}, debts) == [
        "debts is 2; Gold asks for more than 2: 1 short."
    ]


def test_under_none_of_what_lies_between_may_go_either_way() -> None:
    debts = metric("debts", "count")
    against: Document = {"none": [condition("debts", "between", [2, 9])]}

    assert sentences_about(against, {"debts": 3}, debts) == [
        "debts is 3; between 2 and 9 speaks against Gold: 2 too much."
    ]
    assert sentences_about(against, {"debts": 9}, debts) == [
        "debts is 9; between 2 and 9 speaks against Gold: 1 short."
    ]


def test_a_missing_number_that_counts_as_zero_is_shown_as_nought() -> None:
    debts = metric("debts", "count", missing="zero")

    assert sentences_about(condition("debts", "at_least", 2), {}, debts) == [
        "debts is 0; Gold asks for at least 2: 2 short."
    ]


@pytest.mark.parametrize("missing", ["unknown", "zero", "cannot_decide"])
def test_whether_a_value_is_known_is_said_of_the_value_itself(missing: str) -> None:
    debts = metric("debts", "count", missing=missing)
    known: Document = {"all": [condition("debts", "is_known"), condition("debts", "is_not_known")]}

    assert sentences_about(known, {}, debts) == [
        "debts is not known; Gold asks for a known value: not fulfilled.",
        "debts is not known; Gold asks for no known value: fulfilled.",
    ]
    assert sentences_about(known, {"debts": 0}, debts) == [
        "debts is known; Gold asks for a known value: fulfilled.",
        "debts is known; Gold asks for no known value: not fulfilled.",
    ]


def test_a_decimal_is_shown_in_its_unit_and_a_date_with_days_between() -> None:
    stars, since = metric("stars", "decimal", places=2), metric("since", "date")
    entry: Document = {
        "all": [condition("stars", "at_least", 4), condition("since", "before", "2026-01-01")]
    }

    assert sentences_about(entry, {"stars": 375, "since": date(2026, 1, 3)}, stars, since) == [
        "stars is 3.75; Gold asks for at least 4: 0.25 short.",
        "since is 2026-01-03; Gold asks for earlier than 2026-01-01: 3 too much.",
    ]


def test_exceptions_are_explained_too() -> None:
    document = policy_document(
        [metric("debts", "count")],
        demotion_policies=[
            {
                **option("slow"),
                "unless": condition("debts", "equal", 0),
                "steps": [{"kind": "demote", "days": 1, "to": "entitled"}],
            }
        ],
    )
    [reason] = explained(Judge(load(document)), {"debts": 1}).reasons

    assert str(reason.sentence) == (
        "debts is 1; “slow” makes an exception for exactly 0: 1 too much."
    )


def test_a_groups_metric_is_said_to_be_the_groups() -> None:
    this_year: Document = {"kind": "this", "unit": "year"}
    own = metric("spent", "money", activities("sum", "amount", window=this_year))
    source: Document = {"kind": "group", "metric": "spent"}
    together = metric("together", "money", source, missing="cannot_decide")
    gold = tier("gold", entry=condition("together", "at_least", 500))
    judge = judge_of([own, together], gold)

    found = explained(judge, {"spent": 1, "together": 400})
    assert said(found.reasons) == [
        "together (of the whole group) is 400; gold asks for at least 500: 100 short."
    ]
    assert str(found.sentences[-1]) == (
        "For gold by 2026-12-31: together (of the whole group) has to rise by 100 to 500."
    )
    assert str(explained(judge, {"spent": 1}).sentences[0]) == (
        "Which tier it is cannot be said until together (of the whole group) is known; at least "
        "base holds."
    )


def test_a_place_is_reached_by_no_last_day() -> None:
    this_year: Document = {"kind": "this", "unit": "year"}
    own = metric("spent", "money", activities("sum", "amount", window=this_year))
    place = metric("place", "decimal", {"kind": "rank", "metric": "spent"}, unit="percent")
    judge = judge_of([own, place], tier("gold", entry=condition("place", "at_most", 5)))

    found = explained(judge, {"spent": 1, "place": 750})
    assert str(found.sentences[-1]) == "For gold: place has to fall by 2.5 to 5."


# -- ways --------------------------------------------------------------------------------------

SPENT = metric("spent", "money", activities("sum", "amount", window={"kind": "lifetime"}))
ASKED = condition("spent", "at_least", 100)


def test_the_way_to_stay_leads_through_the_keep_criteria_or_else_the_entry() -> None:
    easier = condition("spent", "at_least", 60)
    judge = judge_of([SPENT], tier("silver", entry=ASKED), tier("gold", entry=ASKED, keep=easier))

    for held, target in (("silver", 100), ("gold", 60)):
        way = explained(judge, {"spent": 10}, held=held).to_stay
        assert way is not None
        assert (way.tier.key, way.steps and way.steps[0].target) == (held, target)
        assert str(way.sentence) == (
            f"To keep {held}: spent has to rise by {target - 10} to {target}."
        )


def test_the_way_up_starts_at_the_tier_held_or_else_at_the_one_the_facts_give() -> None:
    rungs = [tier(f"t{n}", entry=condition("spent", "at_least", 100 * n)) for n in (1, 2, 3)]
    judge = judge_of([SPENT], *rungs)

    for held, expected in ((None, "t2"), ("base", "t1"), ("t2", "t3")):
        way = explained(judge, {"spent": 150}, held=held).next_tier
        assert way is not None
        assert way.tier.key == expected
    assert explained(judge, {"spent": 150}, held="t3").next_tier is None


def test_where_the_next_tier_cannot_be_reached_the_way_leads_to_a_higher_one() -> None:
    never: Document = {"all": [ASKED, condition("spent", "less_than", 50)]}
    judge = judge_of([SPENT], tier("closed", entry=never), tier("gold", entry=ASKED))

    way = explained(judge, {"spent": 0}).next_tier
    assert way is not None
    assert str(way.sentence) == "For gold: spent has to rise by 100 to 100."


def test_where_there_is_no_way_at_all_that_is_said() -> None:
    never: Document = {"all": [ASKED, condition("spent", "less_than", 50)]}
    judge = judge_of([SPENT], tier("closed", entry=never), tier("shut", entry=never))

    assert [str(each) for each in explained(judge, {"spent": 0}, held="closed").sentences] == [
        "The tier is base.",
        "No set of changes to the figures keeps closed.",
        "No set of changes to the figures leads to shut.",
    ]


def test_a_tier_already_reached_above_the_one_held_has_nothing_missing() -> None:
    judge = judge_of([SPENT], tier("gold", entry=ASKED))

    found = explained(judge, {"spent": 100}, held="base")
    assert [str(each) for each in found.sentences] == [
        "The tier is gold.",
        "Nothing is missing for gold.",
    ]


def test_what_only_has_to_be_known_is_said_so() -> None:
    judge = judge_of([metric("born", "date")], tier("gold", entry=condition("born", "is_known")))

    assert str(explained(judge, {}).sentences[1]) == "For gold: born has to be known."


@pytest.mark.parametrize(
    ("window", "by"),
    [
        ({"kind": "this", "unit": "month"}, "2026-05-31"),
        ({"kind": "this", "unit": "quarter"}, "2026-06-30"),
        ({"kind": "this", "unit": "year", "starts": "04-06"}, "2027-04-05"),
        ({"kind": "between", "from": "2026-01-01", "to": "2026-08-15"}, "2026-08-15"),
        ({"kind": "rolling", "n": 12, "unit": "months"}, None),
        ({"kind": "lifetime"}, None),
    ],
    ids=str,
)
def test_a_way_says_until_when_its_window_is_open(window: Document, by: str | None) -> None:
    spent = metric("spent", "money", activities("sum", "amount", window=window))
    judge = judge_of([spent], tier("gold", entry=ASKED))

    found = explained(judge, {"spent": 40}, day=date(2026, 5, 7))
    way, asked = found.next_tier, "spent has to rise by 60 to 100"
    assert way is not None
    assert (way.by and way.by.isoformat()) == by
    assert str(way.sentence) == (f"For gold by {by}: {asked}." if by else f"For gold: {asked}.")
    stay = explained(judge, {"spent": 40}, "gold", date(2026, 5, 7)).to_stay
    assert stay is not None
    assert str(stay.sentence) == (
        f"To keep gold by {by}: {asked}." if by else f"To keep gold: {asked}."
    )


def test_a_derived_metric_is_open_as_long_as_the_first_of_its_inputs_to_close() -> None:
    def source(unit: str) -> Document:
        return activities("count", window={"kind": "this", "unit": unit})

    share: Document = {"kind": "ratio", "numerator": "lost", "denominator": "all"}
    terms = [{"metric": "all", "weight": 1}, {"metric": "lost", "weight": 2}]
    metrics = [
        metric("lost", "count", source("quarter")),
        metric("all", "count", source("year")),
        metric("share", "decimal", share),
        metric("points", "count", {"kind": "weighted_sum", "terms": terms}),
        metric("stated", "count"),
    ]
    ends = {}
    for key in ("share", "points", "stated"):
        judge = judge_of(metrics, tier("gold", entry=condition(key, "at_least", 100)))
        way = explained(judge, {key: 5}).next_tier
        assert way is not None
        ends[key] = way.by

    assert ends == {"share": date(2026, 9, 30), "points": date(2026, 9, 30), "stated": None}


# -- undetermined ------------------------------------------------------------------------------

FREE, SECRET = (metric(key, "count", missing="cannot_decide") for key in ("free", "secret"))


def test_an_undetermined_answer_names_what_is_missing_and_what_holds_at_least() -> None:
    both: Document = {"any": [condition("free", "at_least", 5), condition("secret", "at_least", 5)]}
    judge = judge_of([FREE, SECRET, SPENT], tier("silver", entry=ASKED), tier("gold", entry=both))

    found = explained(judge, {"spent": 100})
    assert found.tier is None
    assert (found.at_least.key, found.missing) == ("silver", ("free", "secret"))
    assert found.qualifies == {"base": True, "silver": True, "gold": None}
    assert str(found.sentences[0]) == (
        "Which tier it is cannot be said until free and secret is known; at least silver holds."
    )


def test_what_makes_no_difference_is_not_named_as_missing() -> None:
    criteria: Document = {
        "any": [
            {"all": [ASKED, condition("secret", "at_least", 5)]},
            condition("free", "at_least", 5),
        ]
    }
    judge = judge_of([FREE, SECRET, SPENT], tier("gold", entry=criteria))

    assert explained(judge, {"spent": 0}).missing == ("free",)
    assert explained(judge, {"spent": 100}).missing == ("secret", "free")


def test_what_is_missing_for_a_prerequisite_is_named() -> None:
    judge = judge_of(
        [FREE, SECRET, SPENT],
        tier("t1", entry={"all": [condition("secret", "at_least", 5), ASKED]}),
        tier("t2", entry={"none": [{"qualifies_for": "t1"}]}),
        tier("t3", entry={"all": [ASKED, {"none": [{"qualifies_for": "t2"}]}]}),
    )

    assert explained(judge, {"spent": 100, "free": 1}).missing == ("secret",)


def test_prerequisites_sixty_fold_are_followed_once() -> None:
    lowest = tier("t1", entry=condition("free", "at_least", 5))
    higher = [
        tier(f"t{place + 1}", entry={"any": [{"qualifies_for": f"t{place}"}] * 60})
        for place in range(1, 29)
    ]
    found = explained(judge_of([FREE], lowest, *higher), {})

    assert found.missing == ("free",)
    assert found.next_tier is not None
    assert str(found.next_tier.sentence) == "For t1: free has to be 5."


# -- for random clients of random policies -----------------------------------------------------


def random_answers(
    name: str, policies: int, several: int
) -> Iterator[tuple[Judge, Facts, Explanation]]:
    for number in range(policies):
        random = Random(f"{name} {number}")
        judge = Judge(load(random_document(random, Shape(5, 4, 4, 4, 40))))
        for facts in islice(clients(random, judge.policy), several):
            yield judge, facts, explained(judge, facts)


def moved(value: Value, by: int) -> Value:
    if isinstance(value, date):
        return value + timedelta(days=by)
    assert isinstance(value, int | Fraction)
    return value + by


def test_every_condition_is_a_reason_once_in_the_order_of_the_policy() -> None:
    for judge, facts, found in random_answers("reasons", 10, 10):
        outcomes = iter(judge.judge(facts).outcomes)
        expected = [
            (root, node, outcome)
            for root in judge.policy.roots
            for node, outcome in zip(walk(root.criteria), outcomes, strict=False)
            if isinstance(node, Condition)
        ]
        assert [(each.root, each.condition, each.met) for each in found.reasons] == expected


def test_a_stated_shortfall_made_good_changes_the_condition_and_one_unit_less_does_not() -> None:
    stated = against = fractions = days = 0
    for judge, facts, found in random_answers("shortfall", 20, 10):
        for place, reason in enumerate(found.reasons):
            if reason.shortfall is None:
                continue
            assert reason.met is (not reason.helps)
            assert reason.value is not None
            less = reason.shortfall - (1 if reason.shortfall > 0 else -1)
            for by, expected in ((reason.shortfall, reason.helps), (less, reason.met)):
                changed = {**facts, reason.condition.metric: moved(reason.value, by)}
                assert explained(judge, changed).reasons[place].met is expected
            stated += 1
            against += not reason.helps
            fractions += isinstance(reason.value, Fraction)
            days += isinstance(reason.value, date)
    assert stated > 500
    assert min(against, fractions, days) > 50


def test_the_ways_stated_lead_where_they_say_and_not_one_unit_earlier() -> None:
    led = 0
    for judge, facts, found in random_answers("ways", 30, 20):
        for way, parts in ((found.next_tier, ("entry",)), (found.to_stay, ("keep", "entry"))):
            if way is None or not way.steps:
                continue
            targets = {step.metric: step.target for step in way.steps if step.target is not None}
            if len(targets) < len(way.steps):
                continue
            roots = {root.part: root for root in judge.policy.roots if root.owner == way.tier.key}
            place = next(roots[part].place for part in parts if part in roots)
            changed = {**facts, **targets}
            assert judge.judge(changed).outcomes[place] is True
            for step in way.steps:
                if step.shortfall is not None:
                    less = moved(targets[step.metric], -1 if step.shortfall > 0 else 1)
                    short = {**changed, step.metric: less}
                    assert judge.judge(short).outcomes[place] is not True
                    led += 1
    assert led > 100


def texts(message: object) -> Iterator[Message]:
    """Yield a message and those that go into it."""
    if isinstance(message, Listed):
        for part in message.parts:
            yield from texts(part)
    if isinstance(message, Message):
        yield message
        for param in message.params.values():
            yield from texts(param)


def test_no_sentence_has_a_place_left_open() -> None:
    checked = 0
    for _, _, found in random_answers("sentences", 15, 15):
        for sentence in (*found.sentences, *(each.sentence for each in found.reasons)):
            assert str(sentence).endswith(".")
            for text in texts(sentence):
                assert text == text.id % text.params
                assert not any(each in text for each in ("%(", "None", "Fraction", "  "))
                assert all(f"%({name})" in text.id for name in text.params)
                checked += 1
    assert checked > 10_000


def test_what_is_named_as_missing_is_missing_and_cannot_be_decided_without() -> None:
    open_ = 0
    for judge, facts, found in random_answers("missing", 25, 20):
        assert (found.tier is None) is bool(found.missing)
        open_ += found.tier is None
        for key in found.missing:
            assert facts.get(key) is None
            assert judge.policy.metrics[key].missing is Missing.CANNOT_DECIDE
    assert open_ > 15


# -- one policy, many clients ------------------------------------------------------------------


def test_what_no_client_comes_into_is_put_into_words_once() -> None:
    judge = judge_of([SPENT], tier("gold", entry=ASKED))
    explainer = Explainer(judge)

    one, other = (
        explainer.explain(facts, judge.judge(facts), DAY).reasons[0].sentence.params
        for facts in ({"spent": 40}, {"spent": 50})
    )
    assert one["asked"] is other["asked"]
    assert str(one["by"]) != str(other["by"])
