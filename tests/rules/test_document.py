"""What a policy document may say, and what is said where it says something else."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import deepcopy
from datetime import date
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.criteria import AllOf, AnyOf, AtLeast, Condition, NoneOf, QualifiesFor
from rules.document import DEEPEST_DERIVATION, MOST_CONDITIONS, DocumentInvalid, Problem, load
from rules.document.criteria import DEEPEST, WIDEST
from rules.document.strict_json import canonical_bytes, digest, dumps, loads
from rules.letters import IN_SUBJECTS, PLACEHOLDERS
from rules.measure import Client, measure
from rules.messages import Message
from rules.policy import (
    Activities,
    Anniversary,
    Attribute,
    AttributeHistory,
    Benefit,
    Between,
    Calendar,
    CarryOver,
    Change,
    DaysSince,
    DemotionPolicy,
    Example,
    Filter,
    Fixed,
    Letter,
    Monthly,
    Open,
    Previous,
    Promise,
    Promotion,
    Ratio,
    Rolling,
    Standard,
    Step,
    This,
    Transition,
    UntilAssessment,
    WeightedSum,
    YearDays,
)
from rules.vocabulary import LARGEST, Limit, MetricType, Missing, Operator
from tests.rules.builders import (
    EVERYTHING,
    LIFETIME,
    YEAR,
    Document,
    Place,
    activities,
    attribute,
    changed,
    condition,
    found,
    metric,
    names,
    option,
    path,
    place,
    places,
    policy_document,
    problems,
    tier,
    told,
    without,
)

WHOLESALE: Any = loads(
    (Path(__file__).parents[2] / "examples" / "wholesale.json").read_bytes(),
)
NESTED: Any = []
"""A list in a list in a list … as deep as strict JSON lets anything through."""
for _ in range(90):
    NESTED = [NESTED]


def _window(kind: str, **parts: Any) -> Document:
    return {"kind": kind, **parts}


# -- what a document becomes -------------------------------------------------------------------


def test_the_example_loads() -> None:
    policy = load(WHOLESALE)

    assert [each.key for each in policy.tiers] == ["standard", "silver", "gold", "platinum"]
    assert policy.languages == ("en", "uk")
    assert policy.metrics["revenue_12m"].source == Activities(
        "sum", ("sale", "cancellation"), Rolling(12, "months"), "amount"
    )


def test_a_document_with_everything_becomes_the_values_it_names() -> None:
    policy = load(EVERYTHING)
    sources = {key: each.source for key, each in policy.metrics.items()}

    assert sources["hotel_orders"] == Activities(
        "count",
        ("sale", "order"),
        This("quarter", (4, 6)),
        where=(
            Filter("channel", Operator.IS, "hotel"),
            Filter("product", Operator.NONE_OF, ("gift", "sample")),
            Filter("amount", Operator.AT_LEAST, Fraction(100)),
            Filter("quantity", Operator.ONE_OF, (Fraction(1), Fraction(2))),
            Filter("attribute:gift", Operator.IS_NOT, True),
        ),
    )
    assert sources["stars"] == Activities(
        "average", ("sale",), Previous(2, "half_year", (1, 31)), "attribute:stars"
    )
    assert sources["balance"] == AttributeHistory(
        "balance", "daily_average", Between(date(2026, 1, 1), date(2026, 6, 30))
    )
    assert sources["birthday"] == Attribute("birthday", 400)
    assert sources["age"] == DaysSince("birthday")
    assert sources["share"] == Ratio("balance", "revenue")
    assert sources["potential"] == WeightedSum((("revenue", Fraction(2)),))
    assert sources["growth"] == Change("revenue", "difference")
    assert sources["carried"] == CarryOver("hotel_orders", 10, 2)
    assert policy.metrics["share"].unit == "percent"
    assert policy.metrics["share"].places == 1
    assert dict(policy.metrics["business"].options) == {
        "retail": names("retail"),
        "hotel": names("hotel"),
    }
    assert {key: each.missing for key, each in policy.metrics.items()} == {
        **dict.fromkeys(policy.metrics, Missing.UNKNOWN),
        "balance": Missing.ZERO,
        "private": Missing.CANNOT_DECIDE,
    }
    assert policy.key == "example"
    assert policy.name == names("Example")
    assert policy.languages == ("en", "uk")
    assert (policy.currency, policy.time_zone) == ("EUR", "Europe/Kyiv")
    _, silver, gold = policy.tiers
    assert silver.entry == AllOf(
        (
            Condition("revenue", Operator.AT_LEAST, 100),
            Condition("age", Operator.IS_KNOWN),
        )
    )
    assert silver.benefits == (Benefit("queue", names("No queue")),)
    assert (silver.standards, silver.demotion) == (("answer",), "slow")
    assert silver.validity == Fixed(12, "months", to_month_end=True)
    assert (silver.renewal, silver.lifetime_after_years) == ("at_expiry", 10)
    assert gold.validity == Calendar("quarter", 1, 2, (4, 6))
    assert (gold.renewal, gold.lifetime_after_years) == ("at_once", None)
    assert policy.promotion == Promotion(Monthly(31), "one_rung", "mended")
    assert policy.letters == (
        Letter(
            "notice",
            names("$tier until $deadline"),
            names("Dear $client,\n\n$figures\n\n$ahead"),
            names("friend"),
        ),
        Letter("mended", names("All is well"), names("You have\n$service")),
    )
    assert policy.letter("mended") == policy.letters[1]
    assert policy.settlement_days == 3
    assert policy.transition == Transition(
        "upgrades_only", date(2026, 12, 31), {"bronze": "silver", "top": "gold"}
    )
    assert gold.entry == AtLeast(
        1,
        (
            QualifiesFor("silver"),
            AnyOf((Condition("business", Operator.ONE_OF, ("hotel",)),)),
            NoneOf((Condition("private", Operator.IS, True),)),
        ),
    )
    assert gold.keep is None
    assert policy.segments[0].standards == ("answer",)
    assert policy.standards[0] == Standard(
        "answer",
        names("answer"),
        "manager",
        Promise("respond_within", {"request": "question", "working_minutes": 60}),
    )
    assert policy.demotion_policies == (
        DemotionPolicy(
            "slow",
            names("Slow"),
            (
                Step("warning", 30, letter="notice"),
                Step("notice", 0, counted="start", letter="notice"),
                Step("withdraw", 30, benefits=("queue",)),
                Step("demote", 60, to="one_rung"),
            ),
            90,
            QualifiesFor("gold"),
            Anniversary("year", "birthday"),
            7,
            "mended",
            "mended",
        ),
        DemotionPolicy(
            "quick",
            names("Quick"),
            (Step("notice"), Step("demote", 14, 2, to="one_rung", landing=UntilAssessment())),
            assessment=YearDays(((1, 1), (7, 1))),
        ),
    )
    assert policy.examples == (
        Example(
            names("At the limit of Silver, which is enough for Gold"),
            date(2026, 6, 30),
            {"revenue": 100, "age": 0, "private": True},
            "gold",
        ),
        Example(
            names("One cent less, and perhaps private"),
            date(2026, 6, 30),
            {"revenue": 99, "age": 0, "private": None},
            None,
        ),
    )


@pytest.mark.parametrize(
    ("window", "read"),
    [
        (_window("this", unit="year"), This("year", (1, 1))),
        (_window("previous", n=2, unit="quarter"), Previous(2, "quarter", (1, 1))),
        (
            _window("previous", n=2, unit="quarter", starts="12-31"),
            Previous(2, "quarter", (12, 31)),
        ),
    ],
)
def test_a_year_begins_on_the_first_of_january_unless_it_is_said_otherwise(
    window: Document, read: This | Previous
) -> None:
    policy = load(changed(EVERYTHING, place("metrics[2].source.window"), window))

    source = policy.metrics["stars"].source
    assert isinstance(source, Activities)
    assert source.window == read


def test_roots_have_their_places_among_all_nodes() -> None:
    policy = load(EVERYTHING)

    assert [(root.part, root.owner, root.place) for root in policy.roots] == [
        ("entry", "silver", 0),
        ("keep", "silver", 3),
        ("entry", "gold", 4),
        ("segment", "young", 10),
        ("unless", "slow", 11),
    ]


def test_a_tier_is_found_by_its_key() -> None:
    assert load(EVERYTHING).tier("gold").name == names("gold")


def test_a_document_may_name_the_json_schema_that_editors_check_it_by() -> None:
    assert problems({"$schema": "policy.schema.json", **policy_document()}) == {}


def test_a_policy_may_have_nothing_but_its_lowest_tier() -> None:
    policy = load(policy_document())

    assert [each.key for each in policy.tiers] == ["base"]
    assert policy.roots == ()
    assert policy.examples == ()


# -- one thing wrong: its path, and what would be right ----------------------------------------

KEY = "must be a key: a small letter, then small letters, digits and underscores, at most 63 in all"
OBJECT = "must be an object: {…}"
A_BUSINESS_DATE = "must be a business date from 1970-01-01 to 2199-12-31"
A_DAY = "must be a day that exists, written YYYY-MM-DD, from 1800-01-01 to 2299-12-31"
DAY_OF_YEAR = "must be a day of every year, written MM-DD"
TIME_ZONE = "must be a time zone, such as Europe/Kyiv"
CURRENCY = "must be the code of a currency (ISO 4217), such as EUR"
TWICE = "must not name anything twice"
MANY_OPTIONS = [option(f"o{number}") for number in range(100)]
LARGE = f"-{LARGEST} to {LARGEST}"
FILTER = "metrics[1].source.where"
WHERE_OPERATORS = "is, is_not, one_of, none_of, at_least, more_than, at_most or less_than"
IN_BODY = ", ".join(f"${name}" for name in PLACEHOLDERS)
IN_SUBJECT = ", ".join(f"${name}" for name in PLACEHOLDERS if name in IN_SUBJECTS)
METRICS = (
    "age, balance, birthday, business, carried, growth, hotel_orders, lately, place, potential, "
    "private, revenue, share, stars, together or years"
)

REFUSALS = [
    # the document itself
    ("format", 2, "must be a whole number from 1 to 1"),
    ("format", "1", "must be a whole number from 1 to 1"),
    ("format", True, "must be a whole number from 1 to 1"),
    ("key", "Gold", KEY),
    ("key", "1st", KEY),
    ("key", "a" * 64, KEY),
    ("key", "gold\n", KEY),
    ("key", ["gold"], KEY),
    ("languages", [], "must have 1 to 20 entries"),
    ("languages", "en", "must be a list: […]"),
    ("languages", ["en", "en"], TWICE),
    ("languages[1]", "English", "must be a language code such as en or uk"),
    ("languages[1]", NESTED, "must be a language code such as en or uk"),
    ("currency", "Euro", CURRENCY),
    ("currency", "eur", CURRENCY),
    ("currency", "XXX", CURRENCY),
    ("currency", 978, CURRENCY),
    ("currency", ["EUR"], CURRENCY),
    ("time_zone", "Mars/Olympus", TIME_ZONE),
    ("time_zone", "../../etc/passwd", TIME_ZONE),
    ("time_zone", "Europe", TIME_ZONE),
    ("time_zone", "a" * 5000, TIME_ZONE),
    ("time_zone", "\0", TIME_ZONE),
    ("time_zone", "", TIME_ZONE),
    ("time_zone", 3, TIME_ZONE),
    ("time_zone", [], TIME_ZONE),
    ("name", "Example", 'must be a text by language, such as {"en": "Gold"}'),
    ("name.en", "  ", "must be a text"),
    ("name.en", 5, "must be a text"),
    ("name.en", "a" * 201, "must be at most 200 characters long"),
    ("name.en", "ring\x07", "must not hold control characters"),
    ("name.de", "Gold", "is not a language of this policy; these are en or uk"),
    ("metrics[10]", "revenue", OBJECT),
    # metrics
    (
        "metrics[10].type",
        "number",
        "must be money, count, decimal, days, date, boolean or choice",
    ),
    ("metrics[2].places", 7, "must be a whole number from 0 to 6"),
    ("metrics[2].places", Decimal("1.5"), "must be a whole number from 0 to 6"),
    ("metrics[0].places", 2, "must be left out: a money has none"),
    ("metrics[0].unit", "percent", "must be left out: only a decimal can be a percentage"),
    ("metrics[2].unit", "per mille", "must be percent"),
    ("metrics[0].options", [option("a")], "must be left out: a money has none"),
    ("metrics[7].options", [option("hotel"), *MANY_OPTIONS], "must have 1 to 100 entries"),
    ("metrics[7].options[0].key", "Retail", KEY),
    ("metrics[5].missing", "zero", "a date cannot count as zero"),
    ("metrics[7].missing", "zero", "a choice cannot count as zero"),
    ("metrics[0].missing", "none", "must be unknown, zero or cannot_decide"),
    ("metrics[10].source", "activities", OBJECT),
    (
        "metrics[10].source.kind",
        "sum",
        "must be attribute, attribute_history, activities, ratio, weighted_sum, change, "
        "days_since, carry_over, standing, group or rank",
    ),
    # windows
    ("metrics[2].source.window", 12, OBJECT),
    (
        "metrics[2].source.window.kind",
        "sliding",
        "must be lifetime, rolling, this, previous, since or between",
    ),
    ("metrics[0].source.window.n", 0, "must be a whole number from 1 to 36525"),
    ("metrics[0].source.window.n", 1201, "must be at most 1200 months"),
    ("metrics[0].source.window.unit", "decades", "must be days, weeks, months or years"),
    ("metrics[1].source.window.unit", "week", "must be month, quarter, half_year or year"),
    ("metrics[1].source.window.starts", "02-29", DAY_OF_YEAR),
    ("metrics[1].source.window.starts", "13-01", DAY_OF_YEAR),
    ("metrics[1].source.window.starts", "4-6", DAY_OF_YEAR),
    ("metrics[1].source.window.starts", 406, DAY_OF_YEAR),
    ("metrics[2].source.window.n", 201, "must be at most 200 half_year"),
    ("metrics[3].source.window.to", "2025-12-31", "must not lie before from"),
    ("metrics[3].source.window.from", "2026-02-29", A_DAY),
    ("metrics[3].source.window.from", "20260101", A_DAY),
    ("metrics[3].source.window.from", "2026-W01-1", A_DAY),
    ("metrics[3].source.window.from", "２０２６-01-01", A_DAY),
    ("metrics[3].source.window.from", "1799-12-31", A_DAY),
    ("metrics[3].source.window.to", "2300-01-01", A_DAY),
    ("metrics[3].source.window.to", 20260101, A_DAY),
    # activities
    (
        "metrics[0].source.aggregate",
        "median",
        "must be sum, count, average, minimum, maximum, distinct_products, first_date, "
        "last_date, days_since_last, days_with, weeks_with, months_with or quarters_with",
    ),
    ("metrics[0].source.of", "price", "must be amount, quantity or attribute:NAME"),
    ("metrics[0].source.of", "attribute:", "must be amount, quantity or attribute:NAME"),
    ("metrics[0].source.of", ["amount"], "must be amount, quantity or attribute:NAME"),
    ("metrics[1].source.of", "amount", "must be left out: this aggregate only counts or dates"),
    ("metrics[0].source.kinds", [], "must have 1 to 50 entries"),
    ("metrics[0].source.kinds", ["sale", "sale"], TWICE),
    ("metrics[0].source.kinds[0]", "Sale!", KEY),
    # filters
    (f"{FILTER}[0]", "channel", OBJECT),
    (
        f"{FILTER}[0].field",
        "shop",
        "must be product, channel, amount, quantity or attribute:NAME",
    ),
    (f"{FILTER}[0].operator", "between", f"must be {WHERE_OPERATORS}"),
    (f"{FILTER}[0].value", ["hotel"], "must not be a list"),
    (f"{FILTER}[1].value", "gift", "must be a list"),
    (f"{FILTER}[1].value", [], "must be a list of 1 to 200 texts or numbers"),
    (f"{FILTER}[1].value", ["a"] * 201, "must be a list of 1 to 200 texts or numbers"),
    (f"{FILTER}[1].value", ["gift", True], "must be a text or a number"),
    (f"{FILTER}[1].value", [["gift"]], "must be a text or a number"),
    (f"{FILTER}[0].value", {"is": "hotel"}, "must be a text or a number"),
    (f"{FILTER}[0].value", " ", "must be a text"),
    (
        f"{FILTER}[2].value",
        Decimal("0.0000001"),
        f"must be a number from {LARGE} with at most 6 decimal places",
    ),
    (
        f"{FILTER}[2].value",
        LARGEST + 1,
        f"must be a number from {LARGE} with at most 6 decimal places",
    ),
    (f"{FILTER}[2].value", "100", "must be a number for this operator"),
    (f"{FILTER}[3].value", ["1"], "must be a number for this field"),
    # derivations
    ("metrics[8].source.numerator", "turnover", f"names none of the policy's metrics ({METRICS})"),
    ("metrics[8].source.numerator", ["revenue"], f"names none of the policy's metrics ({METRICS})"),
    (
        "metrics[8].source.denominator",
        "birthday",
        "must name a metric of type count, days, decimal or money; birthday is of type date",
    ),
    (
        "metrics[4].source.metric",
        "revenue",
        "must name a metric of type date; revenue is of type money",
    ),
    ("metrics[9].source.terms", [], "must have 1 to 20 entries"),
    (
        "metrics[9].source.terms[0].weight",
        Decimal("0.0000001"),
        "must be a number from -1000000 to 1000000 with at most 6 decimal places",
    ),
    (
        "metrics[9].source.terms",
        [{"metric": "revenue", "weight": 1}, {"metric": "hotel_orders", "weight": 1}],
        "must all be money, or none of them",
    ),
    (
        "metrics[10].source.metric",
        "balance",
        "must name a metric measured over a window of kind rolling, this or previous",
    ),
    (
        "metrics[10].source.metric",
        "potential",
        "must name a metric measured over a window of kind rolling, this or previous",
    ),
    ("metrics[10].source.measured", "ratio", "must be difference or percent"),
    (
        "metrics[11].source.metric",
        "revenue",
        "must name a metric measured over a window of kind this",
    ),
    (
        "metrics[11].source.cap",
        Decimal("1.5"),
        f"must be a whole number between -{LARGEST} and {LARGEST}",
    ),
    ("metrics[11].source.cap", -1, "must not be negative"),
    ("metrics[11].source.above", -1, "must not be negative"),
    # tiers
    ("tiers[0].entry", condition("revenue", "at_least", 1), "must be left out: everybody holds "
     "the lowest tier"),
    ("tiers[1].benefits[0].name", [], 'must be a text by language, such as {"en": "Gold"}'),
    ("tiers[1].standards[0]", "answers", "names none of the policy's standards (answer, call, "
     "greeting, promise, reminder, room, survey or welcome)"),
    ("tiers[1].standards", ["answer", "answer"], TWICE),
    ("tiers[1].demotion", "fast", "names none of the policy's demotion policies (quick or "
     "slow)"),
    ("tiers[1].demotion", ["slow"], "names none of the policy's demotion policies (quick or "
     "slow)"),
    ("tiers[1].validity", "calendar", OBJECT),
    ("tiers[1].validity.kind", "forever", "must be open, fixed, calendar or until_assessment"),
    ("tiers[1].validity.n", 0, "must be a whole number from 1 to 1200"),
    ("tiers[1].validity.n", 1201, "must be a whole number from 1 to 1200"),
    ("tiers[1].validity.unit", "years", "must be days or months"),
    ("tiers[1].validity.to_month_end", 1, "must be true or false"),
    ("tiers[2].validity.unit", "week", "must be month, quarter, half_year or year"),
    ("tiers[2].validity.further", 11, "must be a whole number from 0 to 10"),
    ("tiers[2].validity.plus_months", 25, "must be a whole number from 0 to 24"),
    ("tiers[2].validity.starts", "02-29", DAY_OF_YEAR),
    ("tiers[1].renewal", "never", "must be at_once or at_expiry"),
    ("tiers[1].lifetime_after_years", -1, "must be a whole number from 0 to 100"),
    # promotion
    ("promotion", "at_once", OBJECT),
    ("promotion.path", "two_rungs", "must be straight or one_rung"),
    ("promotion.assessment", ["01-01"], OBJECT),
    ("promotion.assessment.kind", "daily", "must be year_days, monthly or anniversary"),
    ("promotion.assessment.day", 32, "must be a whole number from 1 to 31"),
    # standards
    ("standards[0].answers", "the manager", KEY),
    ("standards[0].promise.kind", "respond", "must be respond_within, contact_every, "
     "after_activity, on_date, after_event, survey_every, keep_promise or entitlement"),
    ("standards[0].promise.working_minutes", 0, "must be a whole number from 1 to 100000"),
    ("standards[1].promise.days", 3661, "must be a whole number from 1 to 3660"),
    ("standards[2].promise.activity", "", KEY),
    ("standards[3].promise.days_before", 367, "must be a whole number from 0 to 366"),
    ("standards[4].promise.event", "lost", "must be promoted, renewed, notice_given, "
     "benefit_withdrawn or demoted"),
    ("standards[5].promise.survey", "mystery", "must be nps, csi or ces"),
    ("standards[7].promise.detail", "", "must be a text"),
    ("settlement_days", -1, "must be a whole number from 0 to 366"),
    # transition
    ("transition", "everybody", OBJECT),
    ("transition.moves", "nobody", "must be everybody, upgrades_only or new_grounds_only"),
    ("transition.until", "soon", "must be a day that exists, written YYYY-MM-DD, from 1800-01-01 "
     "to 2299-12-31"),
    ("transition.former_tiers", {"bronze": "silver"}, "must be a list: […]"),
    ("transition.former_tiers[1].key", "bronze", "stands twice in this list"),
    ("transition.former_tiers[0].now", "iron", "names none of the policy's tiers (base, gold or "
     "silver)"),
    ("transition.former_tiers[0].key", "gold", "is a tier of this policy; name one that it has no "
     "longer"),
    # demotion policies
    ("demotion_policies[0].minimum_stay_days", -1, "must be a whole number from 0 to 3660"),
    ("demotion_policies[0].benefits_return_days", -1, "must be a whole number from 0 to 3660"),
    ("demotion_policies[0].steps", [], "must have 1 to 20 entries"),
    ("demotion_policies[0].steps[0].kind", "threat", "must be warning, notice, withdraw or demote"),
    ("demotion_policies[0].steps[1].counted", "end", "must be start or previous_step"),
    ("demotion_policies[0].steps[1]", {"kind": "warning", "days": 1}, "a warning can only be the "
     "first step"),
    ("demotion_policies[0].steps[2]", {"kind": "demote", "days": 1, "to": "entitled"}, "nothing "
     "can follow a demotion"),
    ("demotion_policies[0].steps[2].benefits", [], "must have 1 to 50 entries"),
    ("demotion_policies[0].steps[2].benefits", ["queue", "queue"], TWICE),
    ("demotion_policies[0].steps[2].benefits[0]", "room", "names none of the policy's benefits "
     "(queue)"),
    ("demotion_policies[0].steps[3].to", "base", "must be entitled or one_rung"),
    ("demotion_policies[0].steps[3].days", 3661, "must be a whole number from 0 to 3660"),
    ("demotion_policies[1].steps[1].months", 121, "must be a whole number from 0 to 120"),
    ("demotion_policies[1].steps[1].landing.kind", "soft", "must be open, fixed, calendar or "
     "until_assessment"),
    ("demotion_policies[0].assessment.every", "quarter", "must be year or month"),
    ("demotion_policies[0].assessment.of", "revenue", "must name a metric of type date; revenue "
     "is of type money"),
    ("demotion_policies[0].assessment.of", "age", "must name a metric of type date; age is of "
     "type days"),
    ("demotion_policies[0].assessment.of", "first_order", "names none of the policy's metrics "
     f"({METRICS})"),
    ("demotion_policies[1].assessment.days", [], "must have 1 to 24 entries"),
    ("demotion_policies[1].assessment.days", ["01-01", "01-01"], TWICE),
    ("demotion_policies[1].assessment.days[1]", "02-29", DAY_OF_YEAR),
    ("demotion_policies[1].assessment.days[1]", "1 July", DAY_OF_YEAR),
    # examples
    ("examples", {}, "must be a list: […]"),
    ("examples[0]", "gold", OBJECT),
    ("examples[0].name", "Gold", 'must be a text by language, such as {"en": "Gold"}'),
    ("examples[0].name.de", "Gold", "is not a language of this policy; these are en or uk"),
    ("examples[0].date", "2026-06-31", A_DAY),
    ("examples[0].date", "1969-12-31", A_BUSINESS_DATE),
    ("examples[0].date", "2200-01-01", A_BUSINESS_DATE),
    ("examples[1].facts", [], OBJECT),
    ("examples[1].facts.revenue", Decimal("0.5"), "must be a whole number of minor units (cents, "
     f"pence …) between -{LARGEST} and {LARGEST}"),
    ("examples[1].facts.age", "9", f"must be a whole number between -{LARGEST} and {LARGEST}"),
    ("examples[1].facts.private", 0, "must be true or false"),
    ("examples[1].facts.business", "farm", "must be retail or hotel"),
    ("letters[0].subject.en", "$tier,\n$date", "must be one line"),
    ("letters[0].subject.en", "a" * 201, "must be at most 200 characters long"),
    ("letters[0].subject.en", "$rule", f"nothing stands for $rule here; names are {IN_SUBJECT}"),
    ("letters[0].body.en", "a" * 5001, "must be at most 5000 characters long"),
    ("letters[0].body.en", "Dear $nmae", f"nothing stands for $nmae here; names are {IN_BODY}"),
    ("letters[0].body.en", "${Client}", f"nothing stands for $Client here; names are {IN_BODY}"),
    *(
        ("letters[0].body.en", text, f"a $ that no name follows is written $$; names are {IN_BODY}")
        for text in ("It costs $5", "$", "$ tier", "${tier", "${}", "${tier.name}", "$$$")
    ),
    ("letters[0].body.en", "Dear\r\n$client", "must not hold control characters"),
    ("letters[0].unnamed.en", " ", "must be a text"),
    ("promotion.letter", "none", "names none of the policy's letters (mended or notice)"),
    (
        "promotion.letter",
        "notice",
        "names a letter with $ahead, $deadline, which stands for nothing in one of a promotion",
    ),
    ("examples[1].facts.birthday", "1.7.2026", A_DAY),
    ("examples[1].facts.rating", 5, f"is not a metric of this policy; these are {METRICS}"),
    ("examples[1].facts.rating", None, f"is not a metric of this policy; these are {METRICS}"),
    ("examples[1].tier", "bronze", "names none of the policy's tiers (base, gold or silver)"),
    ("examples[1].tier", ["gold"], "names none of the policy's tiers (base, gold or silver)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "value", "sentence"), REFUSALS, ids=[f"{row[0]}={row[1]!r:.20}" for row in REFUSALS]
)
def test_what_is_wrong_is_said_at_its_place(where: str, value: object, sentence: str) -> None:
    assert problems(changed(EVERYTHING, place(where), value)) == {where: sentence}


@pytest.mark.parametrize(
    ("where", "largest", "smallest"),
    [
        ("key", "a" * 63, "a"),
        ("languages", ["en", *(f"x{letter}" for letter in "abcdefghijklmnopqrs")], ["en"]),
        ("name.en", "a" * 200, "a"),
        ("metrics[2].places", 6, 0),
        ("metrics[5].source.good_for_days", 36525, 0),
        ("metrics[9].source.terms[0].weight", 1_000_000, Decimal("0.000001")),
        ("metrics[9].source.terms[0].weight", Decimal("999999.999999"), -1_000_000),
        ("metrics[11].source.cap", LARGEST, 0),
        ("metrics[11].source.above", LARGEST, 0),
        (f"{FILTER}[2].value", LARGEST, Decimal("-0.000001")),
        (f"{FILTER}[1].value", ["a" * 200] * 200, ["a"]),
        ("standards[0].promise.working_minutes", 100_000, 1),
        ("standards[1].promise.days", 3660, 1),
        ("standards[2].promise.days", 3660, 0),
        ("standards[3].promise.days_before", 366, 0),
        ("standards[4].promise.days", 366, 0),
        ("letters[1].subject.en", "a" * 200, "$tier"),
        ("letters[1].body.en", "$$ $tier\n" * 555 + "$date", "a"),
        ("demotion_policies[0].minimum_stay_days", 3660, 0),
        ("demotion_policies[0].benefits_return_days", 3660, 0),
        ("demotion_policies[0].steps[3].days", 3660, 0),
        ("demotion_policies[1].steps[1].months", 120, 0),
        ("demotion_policies[1].assessment.days[0]", "12-31", "01-02"),
        ("promotion.assessment.day", 31, 1),
        ("tiers[1].validity.n", 1200, 1),
        ("tiers[1].lifetime_after_years", 100, 0),
        ("tiers[2].validity.further", 10, 0),
        ("tiers[2].validity.plus_months", 24, 0),
        ("examples[0].date", "2199-12-31", "1970-01-01"),
        ("examples[0].tier", None, "base"),
        ("examples[0].facts.revenue", LARGEST, -LARGEST),
        ("examples[0].facts", dict.fromkeys(METRICS.replace(" or ", ", ").split(", ")), {}),
        *(
            (
                "metrics[0].source.window",
                _window("rolling", n=n, unit=unit),
                _window("rolling", n=1, unit=unit),
            )
            for unit, n in {"days": 36525, "weeks": 5217, "months": 1200, "years": 100}.items()
        ),
        *(
            (
                "metrics[0].source.window",
                _window("previous", n=n, unit=unit),
                _window("previous", n=1, unit=unit),
            )
            for unit, n in {"month": 1200, "quarter": 400, "half_year": 200, "year": 100}.items()
        ),
        (
            "metrics[3].source.window",
            _window("between", **{"from": "1800-01-01", "to": "2299-12-31"}),
            _window("between", **{"from": "2026-01-01", "to": "2026-01-01"}),
        ),
    ],
)
def test_the_largest_and_the_smallest_are_still_right(
    where: str, largest: object, smallest: object
) -> None:
    for value in (largest, smallest):
        assert problems(changed(EVERYTHING, place(where), value)) == {}


@pytest.mark.parametrize(
    ("where", "least", "most"),
    [
        ("languages", 1, 20),
        ("metrics", 0, 200),
        ("metrics[0].source.kinds", 1, 50),
        ("metrics[1].source.where", 0, 20),
        ("metrics[7].options", 1, 100),
        ("metrics[9].source.terms", 1, 20),
        ("tiers", 1, 30),
        ("tiers[1].benefits", 0, 50),
        ("tiers[1].standards", 0, 50),
        ("segments", 0, 50),
        ("segments[0].standards", 0, 50),
        ("standards", 0, 100),
        ("demotion_policies", 0, 30),
        ("letters", 0, 50),
        ("demotion_policies[0].steps", 1, 20),
        ("demotion_policies[0].steps[2].benefits", 1, 50),
        ("demotion_policies[1].assessment.days", 1, 24),
        ("examples", 0, 200),
    ],
)
def test_a_list_has_only_so_many_entries(where: str, least: int, most: int) -> None:
    def is_too_long_or_short(entries: int) -> bool:
        said = problems(changed(EVERYTHING, place(where), [None] * entries))
        return said.get(where) == f"must have {least} to {most} entries"

    assert is_too_long_or_short(most + 1)
    assert not is_too_long_or_short(most)
    assert not is_too_long_or_short(least)
    assert is_too_long_or_short(0) is (least == 1)


def test_a_window_is_no_longer_than_a_century() -> None:
    longest = {"days": 36525, "weeks": 5217, "months": 1200, "years": 100}
    for unit, n in longest.items():
        document = changed(
            EVERYTHING,
            place("metrics[2].source.window"),
            _window("rolling", n=n + 1, unit=unit),
        )
        assert list(problems(document)) == ["metrics[2].source.window.n"]


@pytest.mark.parametrize("document", [None, [], 5, "policy", True, NESTED])
def test_what_is_no_object_is_no_policy(document: object) -> None:
    assert problems(document) == {"": OBJECT}


def test_an_empty_document_is_told_everything_that_it_lacks() -> None:
    needed = ("format", "key", "name", "languages", "currency", "time_zone", "metrics", "tiers")

    assert problems({}) == dict.fromkeys(needed, "is missing")


def _history(aggregate: str) -> Document:
    return {
        "kind": "attribute_history",
        "attribute": "x",
        "aggregate": aggregate,
        "window": LIFETIME,
    }


def _ratio(over: str, under: str) -> Document:
    return {"kind": "ratio", "numerator": over, "denominator": under}


def _weighted(*keys: str) -> Document:
    return {"kind": "weighted_sum", "terms": [{"metric": key, "weight": 1} for key in keys]}


def _change(key: str, measured: str) -> Document:
    return {"kind": "change", "metric": key, "measured": measured}


GOLD_DAYS: Document = {"kind": "standing", "measure": "days_at_or_above", "tier": "gold"}


@pytest.mark.parametrize(
    ("source", "where", "sentence"),
    [
        (
            {"kind": "standing", "measure": "tier"},
            "measure",
            "must be tier_held, days_at_or_above, years_at_or_above, days_since_tier or "
            "days_since_ground",
        ),
        (
            {**GOLD_DAYS, "tier": "iron"},
            "tier",
            "names none of the policy's tiers (base, gold or silver)",
        ),
        (
            {**GOLD_DAYS, "tier": "base"},
            "tier",
            "must be above the lowest, which everybody always has",
        ),
        ({"kind": "standing", "measure": "years_at_or_above"}, "tier", "is missing"),
        (
            {"kind": "standing", "measure": "days_since_tier", "tier": "gold"},
            "tier",
            "must be left out: only days or years at a tier or above have it",
        ),
        (
            {"kind": "standing", "measure": "days_since_ground", "unbroken": False},
            "unbroken",
            "must be left out: only days or years at a tier or above have it",
        ),
        ({**GOLD_DAYS, "unbroken": 1}, "unbroken", "must be true or false"),
        (
            {"kind": "group", "metric": "private"},
            "metric",
            "must name a metric of type count, days, decimal or money; private is of type boolean",
        ),
        (
            {"kind": "rank", "metric": "birthday"},
            "metric",
            "must name a metric of type count, days, decimal or money; birthday is of type date",
        ),
        (
            {"kind": "activities", "aggregate": "count", "kinds": ["sale"],
             "window": {"kind": "since", "event": "birth"}},
            "window.event",
            "must be tier or ground",
        ),
    ],
)  # fmt: skip
def test_what_rests_on_a_standing_a_group_or_all_clients_is_checked(
    source: Document, where: str, sentence: str
) -> None:
    document = changed(EVERYTHING, ("metrics", 10, "source"), source)

    assert problems(document) == {f"metrics[10].source.{where}": sentence}


DOES_NOT_ADD_UP = (
    "must name a metric that adds up over several clients: a sum or a count of activities, a "
    "number stated (no percentage), or these weighted or in difference; not since the tier or "
    "the ground began"
)


def _summed_since(event: str) -> Document:
    return activities("sum", "amount", window={"kind": "since", "event": event})


NOT_ADDING_UP: dict[str, tuple[str, Document]] = {
    "an average": ("money", activities("average", "amount")),
    "different products": ("count", activities("distinct_products")),
    "months": ("count", activities("months_with")),
    "days since the last": ("days", activities("days_since_last")),
    "a sum since the tier": ("money", _summed_since("tier")),
    "a sum since the ground": ("money", _summed_since("ground")),
    "a balance": ("money", _history("minimum")),
    "a ratio": ("decimal", _ratio("one", "one")),
    "averages weighted": ("money", _weighted("one", "mean")),
    "a change of averages": ("money", _change("mean", "difference")),
    "what is carried over": ("money", {"kind": "carry_over", "metric": "one", "cap": 1}),
    "a standing": ("days", {"kind": "standing", "measure": "days_since_tier"}),
    "a group": ("money", {"kind": "group", "metric": "one"}),
}
ADDING_UP: dict[str, tuple[str, Document]] = {
    "a count": ("count", activities("count")),
    "a number stated": ("decimal", attribute("x")),
    "sums weighted": ("money", _weighted("one")),
    "a change of sums": ("money", _change("one", "difference")),
}


def _pooled(kind: str, source: Document, **parts: Any) -> Document:
    """Return a policy in which a metric is added up over a group."""
    this_year = {"kind": "this", "unit": "year"}
    return policy_document(
        [
            metric("one", "money", activities("sum", "amount", window=this_year)),
            metric("mean", "money", activities("average", "amount", window=this_year)),
            metric("base", kind, source, **parts),
            metric("pooled", kind, {"kind": "group", "metric": "base"}, **parts),
        ]
    )


@pytest.mark.parametrize("name", NOT_ADDING_UP)
def test_only_what_adds_up_can_be_a_groups(name: str) -> None:
    assert problems(_pooled(*NOT_ADDING_UP[name])) == {"metrics[3].source.metric": DOES_NOT_ADD_UP}


@pytest.mark.parametrize("name", ADDING_UP)
def test_what_adds_up_can_be_a_groups(name: str) -> None:
    assert problems(_pooled(*ADDING_UP[name])) == {}


def test_a_percentage_stated_does_not_add_up() -> None:
    assert problems(_pooled("decimal", attribute("x"), unit="percent")) == {
        "metrics[3].source.metric": DOES_NOT_ADD_UP
    }


def test_a_group_is_not_made_of_itself() -> None:
    base = metric("base", "count", _weighted("pooled"))
    pooled = metric("pooled", "count", {"kind": "group", "metric": "base"})

    found = problems(policy_document([base, pooled]))

    assert found["metrics[0].source"] == found["metrics[1].source"] == "is derived from itself"


def test_a_rank_is_in_percent_and_rests_on_no_other() -> None:
    one = metric("one", "money", activities("sum", "amount"))
    first = metric("first", "decimal", {"kind": "rank", "metric": "one"}, unit="percent")
    twice = metric("twice", "decimal", _weighted("first"))
    second = metric("second", "decimal", {"kind": "rank", "metric": "twice"}, unit="percent")

    assert problems(policy_document([one, first, twice])) == {}
    assert problems(policy_document([one, {**first, "unit": "share"}]))
    assert problems(policy_document([one, without(first, ("unit",))])) == {
        "metrics[1].unit": "is missing: a rank is in percent"
    }
    assert problems(policy_document([one, first, twice, second])) == {
        "metrics[3].source.metric": "must not rest on another rank: both are fixed at the same time"
    }


def test_the_tier_held_has_the_tiers_for_its_options() -> None:
    held = without(
        metric("held", "choice", {"kind": "standing", "measure": "tier_held"}), ("options",)
    )
    gold = tier("gold", entry=condition("held", "one_of", ["gold", "base"]))

    found = load(policy_document([held], [gold])).metrics["held"]

    assert list(found.options) == ["base", "gold"]
    assert problems(policy_document([{**held, "options": [option("gold")]}], [gold])) == {
        "metrics[0].options": "must be left out: the tiers are its options"
    }
    wrong = tier("gold", entry=condition("held", "is", "iron"))
    assert list(problems(policy_document([held], [wrong]))) == ["tiers[1].entry.value"]


def test_a_groups_tier_goes_to_its_members_or_its_head() -> None:
    assert load(policy_document()).group_tier_goes_to == "members"
    assert load(policy_document(groups={"tier_goes_to": "head"})).group_tier_goes_to == "head"
    assert problems(policy_document(groups={"tier_goes_to": "all"})) == {
        "groups.tier_goes_to": "must be members or head"
    }
    assert problems(policy_document(groups={})) == {"groups.tier_goes_to": "is missing"}


def test_a_metric_must_be_of_a_type_that_its_source_gives() -> None:
    fitting: dict[str, tuple[Document, Collection[str]]] = {
        "attribute": (attribute("x"), set(MetricType)),
        "daily average": (_history("daily_average"), {"money", "decimal"}),
        "minimum": (_history("minimum"), {"money", "decimal", "count", "days"}),
        "sum of amounts": (activities("sum", "amount"), {"money"}),
        "average amount": (activities("average", "amount"), {"money"}),
        "sum of quantities": (activities("sum", "quantity"), {"count", "decimal", "days"}),
        "average quantity": (activities("average", "quantity"), {"decimal"}),
        "sum of attributes": (
            activities("sum", "attribute:x"),
            {"money", "count", "decimal", "days"},
        ),
        "average attribute": (activities("average", "attribute:x"), {"money", "decimal"}),
        "greatest amount": (activities("maximum", "amount"), {"money"}),
        "count": (activities("count"), {"count"}),
        "products": (activities("distinct_products"), {"count"}),
        "first": (activities("first_date"), {"date"}),
        "last": (activities("last_date"), {"date"}),
        "since last": (activities("days_since_last"), {"days"}),
        "days with": (activities("days_with"), {"count", "days"}),
        "weeks with": (activities("weeks_with"), {"count"}),
        "months with": (activities("months_with"), {"count"}),
        "quarters with": (activities("quarters_with"), {"count"}),
        "money per piece": (_ratio("spent", "orders"), {"money"}),
        "money per money": (_ratio("spent", "spent"), {"decimal"}),
        "pieces per money": (_ratio("orders", "spent"), {"decimal"}),
        "pieces per piece": (_ratio("orders", "orders"), {"decimal"}),
        "sum of money": (_weighted("spent"), {"money"}),
        "sum of counts": (_weighted("orders"), {"count", "decimal", "days"}),
        "change of money": (_change("spent", "difference"), {"money"}),
        "change of counts": (_change("orders", "difference"), {"count"}),
        "days since": ({"kind": "days_since", "metric": "birthday"}, {"days"}),
        "carried over": ({"kind": "carry_over", "metric": "spent", "cap": 1}, {"money"}),
    }
    month = {"kind": "this", "unit": "month"}
    others = [
        metric("spent", "money", activities("sum", "amount", window=month)),
        metric("orders", "count", activities("count", window=month)),
        metric("birthday", "date"),
    ]

    loaded = {
        (name, kind.value)
        for name, (source, _) in fitting.items()
        for kind in MetricType
        if not problems(policy_document([*others, metric("x", kind, source)]))
    }
    assert loaded == {(name, str(kind)) for name, (_, kinds) in fitting.items() for kind in kinds}


def test_a_type_that_the_source_does_not_give_is_answered_with_those_it_gives() -> None:
    document = policy_document([metric("stars", "count", activities("average", "attribute:x"))])

    assert problems(document) == {"metrics[0].type": "must be decimal or money for this source"}


def test_a_change_in_percent_is_a_decimal_in_percent() -> None:
    spent = metric("spent", "money", activities("sum", "amount", window=YEAR))
    growth = metric("growth", "decimal", _change("spent", "percent"))

    assert problems(policy_document([spent, growth])) == {
        "metrics[1].unit": "must be percent for a change in percent"
    }
    assert problems(policy_document([spent, {**growth, "unit": "percent"}])) == {}


@pytest.mark.parametrize(
    ("kind", "part"), [("decimal", "places"), ("choice", "options")]
)  # fmt: skip
def test_a_decimal_needs_places_and_a_choice_needs_options(kind: str, part: str) -> None:
    document = without(policy_document([metric("x", kind)]), ("metrics", 0, part))

    assert problems(document) == {f"metrics[0].{part}": f"is missing: a {kind} needs it"}


def test_an_aggregate_that_measures_says_what_of() -> None:
    document = without(EVERYTHING, place("metrics[0].source.of"))

    assert problems(document) == {
        "metrics[0].source.of": "is missing: amount, quantity or attribute:NAME"
    }


@pytest.mark.parametrize("operator", ["at_least", "less_than"])
def test_a_text_is_not_larger_or_smaller(operator: str) -> None:
    where = {"field": "product", "operator": operator, "value": 5}

    assert problems(changed(EVERYTHING, place(f"{FILTER}[0]"), where)) == {
        f"{FILTER}[0]": "product is a text; compare it with is or one_of"
    }


def test_a_filter_on_an_attribute_may_compare_with_anything() -> None:
    for operator, value in [("is", "x"), ("is", True), ("one_of", ["x", 5]), ("at_most", 5)]:
        where = {"field": "attribute:x", "operator": operator, "value": value}

        assert problems(changed(EVERYTHING, place(f"{FILTER}[0]"), where)) == {}


# -- wherever it stands ------------------------------------------------------------------------

OPTIONAL = {
    "above", "assessment", "benefits_return_days", "counted", "demotion", "demotion_policies",
    "detail", "examples", "former_tiers", "further", "good_for_days", "groups", "keep", "landing",
    "letter", "letters", "lifetime_after_years", "minimum_stay_days", "missing", "months", "moves",
    "path", "plus_months", "promotion", "reinstatement_letter", "renewal", "return_letter",
    "segments", "settlement_days", "standards", "starts", "to_month_end", "transition", "unbroken",
    "unless", "unnamed", "validity", "where",
}  # fmt: skip
"""The names that can be left out wherever they stand."""

NEEDED_BY_SOME = {"entry", "of", "options", "places", "until"}
"""The names that some tiers, types and transitions need and the others do not have."""


def _objects() -> Iterator[Place]:
    """Yield the place of every object in EVERYTHING but criteria, facts and texts by language."""
    for here in places(EVERYTHING):
        in_criteria = {"entry", "keep", "criteria", "unless", "facts"} & set(here)
        is_text = here[-1:] in {(name,) for name in ("name", "subject", "body", "unnamed")}
        if isinstance(found(EVERYTHING, here), dict) and not in_criteria and not is_text:
            yield here


def _is_optional(here: Place, name: str) -> bool:
    if name == "unit":
        at_will = not {"source", "promise", "validity"} & set(here)
        return at_will and found(EVERYTHING, here)["source"]["kind"] != "rank"
    if name == "days":
        return "steps" in here and found(EVERYTHING, here)["kind"] != "warning"
    if name == "of":
        return "assessment" in here
    return name in OPTIONAL or (name == "benefits" and "steps" not in here)


def _needed_here(here: Place) -> set[str]:
    """Return the names that only some metrics need, or some measures of a standing."""
    return {"tier"} if "source" in here else {"unit"} if here[:1] == ("metrics",) else set()


each_object = pytest.mark.parametrize("here", list(_objects()), ids=lambda here: path(here) or "-")


@each_object
def test_an_unknown_name_is_answered_with_the_known_ones(here: Place) -> None:
    [(where, sentence)] = problems(changed(EVERYTHING, (*here, "nonsense"), 1)).items()

    assert where == path((*here, "nonsense"))
    known = sentence.removeprefix("is not known here; known are ").replace(" or ", ", ")
    assert set(found(EVERYTHING, here)) <= set(known.split(", "))


@each_object
def test_what_cannot_be_left_out_is_missed(here: Place) -> None:
    for name in found(EVERYTHING, here):
        said = problems(without(EVERYTHING, (*here, name))).get(path((*here, name)))

        if _is_optional(here, name):
            assert said is None
        else:
            assert said is not None
            assert said.startswith("must be " if name == "kind" else "is missing")


@each_object
def test_null_is_no_value(here: Place) -> None:
    for name in found(EVERYTHING, here):
        if "examples" in here and name == "tier":
            continue  # an example of an undetermined answer
        said = problems(changed(EVERYTHING, (*here, name), None))[path((*here, name))]

        if name == "kind":
            assert said.startswith("must be ")
        elif _is_optional(here, name) or name in NEEDED_BY_SOME | _needed_here(here):
            assert said == "must not be null; leave it out instead"
        else:
            assert said == "must not be null"


@pytest.mark.parametrize(
    "where", ["metrics[0]", "tiers[1].standards[0]", "demotion_policies[0].steps[0]"]
)
def test_null_is_no_entry_of_a_list(where: str) -> None:
    said = problems(changed(EVERYTHING, place(where), None))

    assert said[where] == "must not be null; leave it out instead"


# -- all at once -------------------------------------------------------------------------------


def test_many_errors_are_reported_at_once() -> None:
    wrong = {
        "key": "No Key",
        "currency": "euro",
        "metrics[0].name.en": "",
        "metrics[0].source.window.n": 0,
        "metrics[0].source.of": "price",
        "metrics[1].source.where[0].operator": "like",
        "metrics[1].source.where[4].field": "colour",
        "metrics[2].places": 9,
        "metrics[11].source.cap": -5,
        "tiers[1].entry.all[0].value": "much",
        "tiers[1].entry.all[1].operator": "exists",
        "tiers[1].keep.metric": "rating",
        "tiers[2].entry.at_least": 4,
        "tiers[2].entry.of[0].qualifies_for": "gold",
        "tiers[2].entry.of[1].any[0].value": ["farm"],
        "segments[0].standards[0]": "dance",
        "standards[1].promise.days": 0,
        "demotion_policies[0].unless.qualifies_for": "base",
        "demotion_policies[0].steps[3].to": "nowhere",
        "examples[0].date": "today",
        "examples[0].facts.age": "old",
        "examples[0].facts.private": "no",
        "examples[1].tier": "bronze",
    }
    document = EVERYTHING
    for where, value in wrong.items():
        document = changed(document, place(where), value)

    assert set(problems(document)) == set(wrong)


def test_a_metric_wrong_in_one_part_is_still_told_what_else_is() -> None:
    source = activities("sum", kinds=["No"])
    one = without(metric("x", "decimal", source, name=5, unit="percent"), ("places",))
    two = metric("y", "count", _ratio("y", "y"), name={})

    assert set(problems(policy_document([one, two]))) == {
        "metrics[0].name",
        "metrics[0].places",
        "metrics[0].source.kinds[0]",
        "metrics[0].source.of",
        "metrics[1].name.en",
        "metrics[1].type",
        "metrics[1].source",
    }


def test_a_tier_without_a_name_is_still_told_that_entry_is_missing() -> None:
    assert set(problems(policy_document(tiers=[tier("gold", name={})]))) == {
        "tiers[1].name.en",
        "tiers[1].entry",
    }


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("languages", "en"),
        ("tiers[0].key", None),
        ("tiers[0].key", "Base!"),
        ("metrics[2].places", "two"),
        ("metrics[11].source.metric", "none"),
        ("tiers[2].entry.of", []),
    ],
)
def test_one_mistake_is_not_reported_as_many(where: str, value: object) -> None:
    assert set(problems(changed(EVERYTHING, place(where), value))) == {where}


def test_a_policy_has_a_tier() -> None:
    assert problems(without(policy_document(), ("tiers", 0))) == {
        "tiers": "must have 1 to 30 entries"
    }


def test_what_should_be_a_list_may_leave_nothing_to_refer_to() -> None:
    said = problems(changed(EVERYTHING, ("metrics",), {}))

    assert said["metrics"] == "must be a list: […]"
    assert said["tiers[1].keep.metric"] == "names none of the policy's metrics (-)"


def test_a_refused_document_says_all_its_problems_as_text() -> None:
    with pytest.raises(DocumentInvalid) as refused:
        load({**policy_document(), "key": 5, "format": 3})

    assert str(refused.value) == f"format: must be a whole number from 1 to 1\nkey: {KEY}"
    assert str(Problem("", "no path")) == "no path"


def test_every_sentence_remembers_its_template_for_translation() -> None:
    broken = {**EVERYTHING, "metrics": [None, {}], "name": None, "unknown": 1, "tiers": {}}
    with pytest.raises(DocumentInvalid) as refused:
        load(broken)

    for problem in refused.value.problems:
        assert isinstance(problem.message, Message)
        assert problem.message.id % problem.message.params == problem.message


# -- references and duplicates -----------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        "metrics", "tiers", "segments", "standards", "demotion_policies", "metrics[7].options",
        "tiers[1].benefits",
    ],
)  # fmt: skip
def test_no_key_stands_twice_in_one_list(where: str) -> None:
    entries = found(EVERYTHING, place(where))
    document = changed(EVERYTHING, place(where), [*entries, entries[-1]])

    assert problems(document) == {f"{where}[{len(entries)}].key": "stands twice in this list"}


def test_two_tiers_may_bring_the_same_benefit() -> None:
    benefits = found(EVERYTHING, place("tiers[1].benefits"))

    assert problems(changed(EVERYTHING, place("tiers[2].benefits"), benefits)) == {}


@pytest.mark.parametrize("length", [1, 2, 3, 50])
def test_metrics_derived_from_each_other_in_a_circle_are_refused(length: int) -> None:
    ring = [
        metric(f"m{number}", "decimal", _weighted(f"m{(number + 1) % length}"))
        for number in range(length)
    ]

    assert problems(policy_document(ring)) == {
        f"metrics[{number}].source": "is derived from itself" for number in range(length)
    }


@pytest.mark.parametrize(
    "source",
    [
        _ratio("x", "base"),
        _ratio("base", "x"),
        _weighted("base", "x"),
        _change("x", "difference"),
        {"kind": "carry_over", "metric": "x", "cap": 1},
        {"kind": "days_since", "metric": "x"},
    ],
    ids=str,
)
def test_no_derivation_rests_on_itself(source: Document) -> None:
    document = policy_document([metric("base", "count"), metric("x", "decimal", source)])

    assert problems(document)["metrics[1].source"] == "is derived from itself"


def test_a_metric_above_a_circle_is_not_called_a_part_of_it() -> None:
    document = policy_document(
        [
            metric("a", "decimal", _weighted("b")),
            metric("b", "decimal", _weighted("a")),
            metric("above", "decimal", _weighted("a")),
        ]
    )

    assert set(problems(document)) == {"metrics[0].source", "metrics[1].source"}


def test_two_derivations_may_rest_on_the_same_metric() -> None:
    document = policy_document(
        [
            metric("top", "decimal", _ratio("left", "right")),
            metric("left", "decimal", _weighted("bottom")),
            metric("right", "decimal", _weighted("bottom", "bottom")),
            metric("bottom", "decimal"),
        ]
    )

    assert problems(document) == {}


def test_derivations_rest_on_each_other_only_so_deep() -> None:
    def chain(length: int) -> Document:
        derived = [
            metric(f"m{number}", "decimal", _weighted(f"m{number - 1}"))
            for number in range(length, 0, -1)
        ]
        return policy_document([*derived, metric("m0", "decimal")])

    assert problems(chain(DEEPEST_DERIVATION)) == {}
    assert problems(chain(DEEPEST_DERIVATION + 2)) == {
        f"metrics[{number}].source": "derivations may build on each other at most 20 deep"
        for number in (0, 1)
    }


@pytest.mark.parametrize(
    ("kinds", "source", "what"),
    [
        (("money", "count"), attribute("size"), "the client's size"),
        (("date", "choice"), attribute("size"), "the client's size"),
        (("decimal", "money"), activities("sum", "attribute:size"), "attribute:size"),
    ],
)
def test_two_metrics_do_not_read_one_attribute_as_different_kinds_of_value(
    kinds: tuple[str, str], source: Document, what: str
) -> None:
    one, other = kinds
    document = policy_document([metric("a", one, source), metric("b", other, source)])

    assert problems(document) == {
        "metrics[1].source": f"reads {what} as {other}; the metric a reads it as {one}"
    }


def test_two_metrics_may_read_one_attribute_as_the_same_kind_of_value() -> None:
    document = policy_document(
        [
            metric("a", "count", attribute("size")),
            metric("b", "decimal", _history("minimum") | {"attribute": "size"}),
            metric("c", "money", activities("sum", "attribute:size")),
            metric("d", "boolean", attribute("other")),
        ]
    )

    assert problems(document) == {}


@pytest.mark.parametrize("name", ["", 5, NESTED])
def test_two_metrics_whose_attributes_are_no_names_are_told_only_that(name: object) -> None:
    source = {"kind": "attribute", "attribute": name}
    document = policy_document([metric("a", "date", source), metric("b", "count", source)])

    assert problems(document) == {
        "metrics[0].source.attribute": KEY,
        "metrics[1].source.attribute": KEY,
    }


# -- tiers -------------------------------------------------------------------------------------


def test_everybody_holds_the_lowest_tier() -> None:
    criteria = condition("revenue", "at_least", 1)
    not_for_the_lowest: Document = {
        "entry": criteria,
        "keep": criteria,
        "demotion": "slow",
        "validity": {"kind": "open"},
        "renewal": "at_once",
        "lifetime_after_years": 0,
    }
    sentence = "must be left out: everybody holds the lowest tier"

    assert problems(changed(EVERYTHING, ("tiers", 0), tier("base", **not_for_the_lowest))) == {
        f"tiers[0].{part}": sentence for part in not_for_the_lowest
    }


def test_the_lowest_tier_may_bring_benefits_and_promise_standards() -> None:
    lowest = tier("base", benefits=[option("tea")], standards=["call"])

    assert problems(changed(EVERYTHING, ("tiers", 0), lowest)) == {}


def test_every_other_tier_has_entry_criteria() -> None:
    document = policy_document(
        [metric("x", "count")], [tier("silver", keep=condition("x", "at_least", 1)), tier("gold")]
    )

    assert problems(document) == {"tiers[1].entry": "is missing", "tiers[2].entry": "is missing"}


@pytest.mark.parametrize(
    ("where", "lower"),
    [
        ("tiers[1].entry", []),
        ("tiers[1].keep", []),
        ("tiers[2].entry", ["silver"]),
        ("tiers[2].keep", ["silver"]),
        ("segments[0].criteria", ["silver", "gold"]),
        ("demotion_policies[0].unless", ["silver", "gold"]),
    ],
)
def test_a_prerequisite_is_a_lower_tier_with_entry_criteria(where: str, lower: list[str]) -> None:
    known = " or ".join(lower) or "-"
    sentence = f"must name a lower tier that has entry criteria ({known})"

    for named in ("base", "silver", "gold", "iron", None, ["silver"], {"a": 1}):
        document = changed(EVERYTHING, place(where), {"qualifies_for": named})
        assert problems(document) == (
            {} if named in lower else {f"{where}.qualifies_for": sentence}
        )


def test_a_segment_with_the_name_of_a_tier_may_still_ask_for_that_tier() -> None:
    gold = {"key": "gold", "name": names("Gold"), "criteria": {"qualifies_for": "gold"}}

    assert problems(changed(EVERYTHING, place("segments[0]"), gold)) == {}


# -- how tiers are held and lost ----------------------------------------------------------------

NO_DATES = "needs assessment dates: those of the tier's demotion policy, or of promotion"
AT_THE_NEXT_DATE = {"kind": "until_assessment"}
MONTHLY = {"kind": "monthly", "day": 1}
ONE_YEAR = {"kind": "fixed", "n": 12, "unit": "months"}


def held_and_lost(
    *steps: Document, of_demotion: Document | None = None, **of_gold: Any
) -> Document:
    """Return a document whose silver and gold are lost by these steps, if there are any."""
    entry = condition("x", "at_least", 1)
    demotion = {"key": "slow", "name": names("Slow"), "steps": list(steps), **(of_demotion or {})}
    by_steps = {"demotion": "slow"} if steps else {}
    return policy_document(
        [metric("x", "count")],
        [tier("silver", entry=entry, **by_steps), tier("gold", entry=entry, **by_steps, **of_gold)],
        demotion_policies=[demotion] if steps else [],
    )


def test_what_is_not_said_of_a_tier_and_its_loss_has_its_plainest_meaning() -> None:
    policy = load(held_and_lost({"kind": "notice"}, {"kind": "demote", "to": "one_rung"}))

    gold = policy.tiers[2]
    assert (gold.validity, gold.renewal, gold.lifetime_after_years) == (Open(), "at_once", None)
    assert policy.promotion == Promotion(None, "straight")
    [demotion] = policy.demotion_policies
    assert demotion.assessment is None
    assert demotion.steps == (
        Step("notice", 0, 0, "previous_step"),
        Step("demote", 0, 0, "previous_step", to="one_rung", landing=Open()),
    )


def test_only_a_warning_has_to_say_how_many_days() -> None:
    said = problems(held_and_lost({"kind": "warning"}, {"kind": "notice"}))

    assert said == {"demotion_policies[0].steps[0].days": "is missing"}


def test_a_warning_has_no_months_and_counts_from_nothing() -> None:
    warning = {"kind": "warning", "days": 1, "months": 1, "counted": "start"}

    assert set(problems(held_and_lost(warning)).values()) == {
        "is not known here; known are days, kind or letter"
    }


def test_a_tier_held_until_an_assessment_needs_one() -> None:
    said = {"tiers[2].validity": NO_DATES}
    demote = {"kind": "demote", "to": "entitled"}

    assert problems(held_and_lost(validity=AT_THE_NEXT_DATE)) == said
    assert problems(held_and_lost(demote, validity=AT_THE_NEXT_DATE)) == said
    assert not problems(
        held_and_lost(demote, of_demotion={"assessment": MONTHLY}, validity=AT_THE_NEXT_DATE)
    )
    assert not problems(
        {**held_and_lost(validity=AT_THE_NEXT_DATE), "promotion": {"assessment": MONTHLY}}
    )


def test_the_assessment_of_another_tier_is_none_of_a_tiers_own() -> None:
    document = held_and_lost(
        {"kind": "demote", "to": "entitled"},
        of_demotion={"assessment": MONTHLY},
        validity=AT_THE_NEXT_DATE,
    )

    assert problems(without(document, place("tiers[2].demotion"))) == {
        "tiers[2].validity": NO_DATES
    }


def test_a_landing_until_an_assessment_needs_one_of_the_tier_landed_on() -> None:
    where = "demotion_policies[0].steps[0].landing"
    landing = {"kind": "demote", "to": "one_rung", "landing": AT_THE_NEXT_DATE}
    assessed = held_and_lost(landing, of_demotion={"assessment": MONTHLY})

    assert problems(held_and_lost(landing)) == {where: NO_DATES}
    assert problems(assessed) == {}
    assert problems(without(assessed, place("tiers[1].demotion"))) == {where: NO_DATES}
    assert problems(without(assessed, place("tiers[2].demotion"))) == {}


def test_a_date_is_stated_where_not_everybody_is_moved_and_only_there() -> None:
    def told(transition: Document) -> dict[str, str]:
        return problems({**EVERYTHING, "transition": transition})

    until = {"until": "2026-12-31"}
    for moves in ("upgrades_only", "new_grounds_only"):
        assert told({"moves": moves}) == {"transition.until": "is missing"}
        assert told({"moves": moves, **until}) == {}
    assert told({"moves": "everybody"}) == told({}) == {}
    assert told(until) == {"transition.until": "must be left out: everybody is moved"}


def test_only_a_demotion_by_one_rung_lands() -> None:
    landing = {"kind": "demote", "to": "entitled", "landing": ONE_YEAR}

    assert problems(held_and_lost(landing)) == {
        "demotion_policies[0].steps[0].landing": "needs the demotion to be to one_rung"
    }


@pytest.mark.parametrize("validity", [None, {"kind": "open"}])
def test_a_tier_is_renewed_at_its_end_only_if_it_has_one(validity: Document | None) -> None:
    parts: Document = {} if validity is None else {"validity": validity}

    assert problems(held_and_lost(renewal="at_expiry", **parts)) == {
        "tiers[2].renewal": "needs a validity that ends"
    }
    assert problems(held_and_lost(renewal="at_once", **parts)) == {}
    assert problems(held_and_lost(renewal="at_expiry", validity=ONE_YEAR)) == {}


def test_a_warning_comes_only_where_a_tier_ends() -> None:
    sentence = "warns of an end; the tier needs a validity that ends"
    document = held_and_lost({"kind": "warning", "days": 30}, {"kind": "demote", "to": "entitled"})

    assert problems(document) == {"tiers[1].demotion": sentence, "tiers[2].demotion": sentence}
    ending = changed(document, place("tiers[1].validity"), ONE_YEAR)
    assert problems(ending) == {"tiers[2].demotion": sentence}
    assert problems(changed(ending, place("tiers[2].validity"), ONE_YEAR)) == {}


# -- criteria ----------------------------------------------------------------------------------

VALUES: dict[str, Any] = {
    "money": 100,
    "count": 100,
    "decimal": Decimal("4.8"),
    "days": 30,
    "date": "2026-02-28",
    "boolean": True,
    "choice": "hotel",
}
NUMBERS = {"at_least", "more_than", "at_most", "less_than", "equal", "not_equal", "between"}
KNOWN = {"is_known", "is_not_known"}
SUITING = {
    **dict.fromkeys(("money", "count", "decimal", "days"), NUMBERS | KNOWN),
    "date": {"on_or_after", "before", "equal", "not_equal", "between"} | KNOWN,
    "boolean": {"is", "is_not"} | KNOWN,
    "choice": {"is", "is_not", "one_of", "none_of"} | KNOWN,
}


def _with_entry(criteria: object, kind: str = "count") -> Document:
    """Return a document with a metric ``x`` of this type, asked about by one tier."""
    return policy_document([metric("x", kind)], [tier("gold", entry=criteria)])


def _limit(kind: str, operator: str, *value: object) -> Limit | None:
    """Return the limit that a condition's value is read as."""
    entry = load(_with_entry(condition("x", operator, *value), kind)).tiers[1].entry
    assert isinstance(entry, Condition)
    assert (entry.metric, entry.operator) == ("x", operator)
    return entry.limit


def test_the_table_of_operators_knows_every_type_and_operator() -> None:
    assert set(SUITING) == set(MetricType)
    assert set().union(*SUITING.values()) == set(Operator)


@pytest.mark.parametrize("operator", [each.value for each in Operator])
@pytest.mark.parametrize("kind", list(SUITING))
def test_an_operator_suits_some_types_and_is_refused_for_others(kind: str, operator: str) -> None:
    lists = {"between": [VALUES[kind]] * 2, "one_of": [VALUES[kind]], "none_of": [VALUES[kind]]}
    value = () if operator in KNOWN else (lists.get(operator, VALUES[kind]),)
    said = problems(_with_entry(condition("x", operator, *value), kind))

    if operator in SUITING[kind]:
        assert said == {}
    else:
        sentence = said.pop("tiers[1].entry.operator")
        assert said == {}
        opening, _, suiting = sentence.partition(": ")
        assert opening == f"must be an operator for {kind}"
        assert set(suiting.replace(" or ", ", ").split(", ")) == SUITING[kind]


@pytest.mark.parametrize(
    ("kind", "operator", "value", "limit"),
    [
        ("money", "at_least", 25_000_000, 25_000_000),
        ("money", "at_most", LARGEST, LARGEST),
        ("money", "less_than", -LARGEST, -LARGEST),
        ("count", "between", [3, 3], (3, 3)),
        ("count", "between", [-1, 5], (-1, 5)),
        ("decimal", "at_least", Decimal("4.8"), 480),
        ("decimal", "at_least", 5, 500),
        ("decimal", "at_least", Decimal("-0.01"), -1),
        ("decimal", "at_most", LARGEST // 100, LARGEST),
        ("days", "equal", 0, 0),
        ("date", "before", "2024-02-29", date(2024, 2, 29)),
        ("date", "between", ["1800-01-01", "2299-12-31"], (date(1800, 1, 1), date(2299, 12, 31))),
        ("boolean", "is", False, False),
        ("choice", "is_not", "hotel", "hotel"),
        ("choice", "one_of", ["retail", "hotel"], ("retail", "hotel")),
    ],
)
def test_a_limit_is_read_in_the_smallest_steps_of_its_type(
    kind: str, operator: str, value: object, limit: Limit
) -> None:
    read = _limit(kind, operator, value)

    assert read == limit
    assert type(read) is type(limit)


@pytest.mark.parametrize("operator", sorted(KNOWN))
def test_known_or_not_compares_with_nothing(operator: str) -> None:
    assert _limit("money", operator) is None
    for value in (5, None):
        assert problems(_with_entry(condition("x", operator, value))) == {
            "tiers[1].entry.value": "must be left out: this operator compares with nothing"
        }


MINOR = f"must be a whole number of minor units (cents, pence …) between -{LARGEST} and {LARGEST}"
WHOLE = f"must be a whole number between -{LARGEST} and {LARGEST}"
DECIMAL = (
    f"must be a number with at most 2 decimal places, between -{LARGEST // 100} and "
    f"{LARGEST // 100}"
)
OPTION = "must be retail or hotel"
PAIR = "must be a list of two, [from, to], both included"
UPSIDE_DOWN = "must not go from the higher to the lower"


@pytest.mark.parametrize(
    ("kind", "operator", "value", "sentence"),
    [
        ("money", "at_least", LARGEST + 1, MINOR),
        ("money", "at_least", -LARGEST - 1, MINOR),
        ("money", "at_least", Decimal("100.5"), MINOR),
        ("money", "at_least", "100", MINOR),
        ("money", "at_least", None, MINOR),
        ("money", "at_least", [100], MINOR),
        ("money", "at_least", {"value": 100}, MINOR),
        ("count", "at_least", True, WHOLE),
        ("days", "at_least", "2026-01-01", WHOLE),
        ("decimal", "at_least", Decimal("4.805"), DECIMAL),
        ("decimal", "at_least", LARGEST // 100 + 1, DECIMAL),
        ("decimal", "at_least", "4.8", DECIMAL),
        ("decimal", "at_least", False, DECIMAL),
        ("count", "between", 5, PAIR),
        ("count", "between", [5], PAIR),
        ("count", "between", [5, 6, 7], PAIR),
        ("count", "between", [5, "6"], WHOLE),
        ("count", "between", [6, 5], UPSIDE_DOWN),
        ("date", "between", ["2026-01-02", "2026-01-01"], UPSIDE_DOWN),
        ("date", "before", "2025-02-29", A_DAY),
        ("date", "before", 20250228, A_DAY),
        ("boolean", "is", 1, "must be true or false"),
        ("boolean", "is", "true", "must be true or false"),
        ("choice", "is", "farm", OPTION),
        ("choice", "is", ["hotel"], OPTION),
        ("choice", "is", None, OPTION),
        ("choice", "one_of", "hotel", "must be a list of options"),
        ("choice", "one_of", [], "must be a list of options"),
        ("choice", "one_of", ["hotel", "farm"], OPTION),
        ("choice", "one_of", ["hotel", "hotel"], "names an option twice"),
    ],
)
def test_a_limit_of_the_wrong_kind_is_refused(
    kind: str, operator: str, value: object, sentence: str
) -> None:
    assert problems(_with_entry(condition("x", operator, value), kind)) == {
        "tiers[1].entry.value": sentence
    }


def test_a_choice_whose_options_are_missing_has_none_to_name() -> None:
    document = without(
        _with_entry(condition("x", "is", "hotel"), "choice"), place("metrics[0].options")
    )

    assert problems(document)["tiers[1].entry.value"] == "must be -"


NO_NODE = 'must be a condition such as {"metric": …} or a group such as {"all": […]}'
NO_SHAPE = (
    "must be exactly one of {metric, operator, value}, {all}, {any}, {none}, {at_least, of} or "
    "{qualifies_for}"
)
PARTS = "must be a list of 1 to 60 parts"
HOW_MANY = "must be a whole number from 1 to the number of parts, 1"
NO_METRIC = "names none of the policy's metrics (x)"
ANY = condition("x", "is_known")


@pytest.mark.parametrize(
    ("criteria", "where", "sentence"),
    [
        (5, "", NO_NODE),
        ([], "", NO_NODE),
        ({}, "", NO_SHAPE),
        ({"all": [ANY], "any": [ANY]}, "", NO_SHAPE),
        ({"at_least": 1}, "", NO_SHAPE),
        ({"not": ANY}, "", NO_SHAPE),
        ({"all": []}, ".all", PARTS),
        ({"any": {}}, ".any", PARTS),
        ({"none": None}, ".none", PARTS),
        ({"all": [5]}, ".all[0]", NO_NODE),
        ({"metric": "y", "operator": "is_known"}, ".metric", NO_METRIC),
        ({"metric": [], "operator": "is_known"}, ".metric", NO_METRIC),
        (
            {"metric": "x", "operator": ["is_known"]},
            ".operator",
            "must be an operator for count: at_least, more_than, at_most, less_than, equal, "
            "not_equal, between, is_known or is_not_known",
        ),
        (
            {**ANY, "unit": 1},
            ".unit",
            "is not known here; known are metric, operator and value",
        ),
        ({"at_least": 0, "of": [ANY]}, ".at_least", HOW_MANY),
        ({"at_least": 2, "of": [ANY]}, ".at_least", HOW_MANY),
        ({"at_least": True, "of": [ANY]}, ".at_least", HOW_MANY),
        ({"at_least": 3, "of": "x"}, ".of", PARTS),
    ],
)
def test_criteria_have_one_of_six_shapes(criteria: object, where: str, sentence: str) -> None:
    assert problems(_with_entry(criteria)) == {f"tiers[1].entry{where}": sentence}


def test_a_condition_on_an_unknown_metric_is_still_told_what_it_should_not_say() -> None:
    assert problems(_with_entry({"metric": "y", "unit": 1})) == {
        "tiers[1].entry.metric": NO_METRIC,
        "tiers[1].entry.unit": "is not known here; known are metric, operator and value",
    }


def test_every_part_of_a_group_is_told_what_is_wrong_with_it() -> None:
    criteria = {"at_least": 9, "of": [5, condition("x", "at_least", 1), {"any": [{"all": []}]}]}

    assert set(problems(_with_entry(criteria))) == {
        "tiers[1].entry.at_least",
        "tiers[1].entry.of[0]",
        "tiers[1].entry.of[2].any[0].all",
    }


def _deep(groups: int) -> Document:
    criteria = ANY
    for _ in range(groups):
        criteria = {"all": [criteria]}
    return criteria


def test_groups_lie_within_each_other_only_so_deep() -> None:
    assert problems(_with_entry(_deep(DEEPEST))) == {}
    for too_deep in (DEEPEST + 1, 5000):
        assert problems(_with_entry(_deep(too_deep))) == {
            f"tiers[1].entry{'.all[0]' * DEEPEST}.all": "groups may lie at most 8 deep"
        }


def test_a_group_is_only_so_wide() -> None:
    assert problems(_with_entry({"any": [ANY] * WIDEST})) == {}
    assert problems(_with_entry({"any": [ANY] * (WIDEST + 1)})) == {"tiers[1].entry.any": PARTS}


def test_all_criteria_of_a_policy_together_have_only_so_many_conditions_and_groups() -> None:
    def document(nodes: int) -> Document:
        sixty = {"any": [ANY] * 59}
        group = {"all": [*[sixty] * 33, *[ANY] * (nodes - 33 * 60 - 2)]}
        return policy_document([metric("x", "count")], [tier("gold", entry=group, keep=ANY)])

    assert problems(document(MOST_CONDITIONS)) == {}
    assert problems(document(MOST_CONDITIONS + 1)) == {
        "": "all criteria together have 2001 conditions and groups; 2000 are possible"
    }


# -- garbage -----------------------------------------------------------------------------------

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False, places=3)
    | st.sampled_from(["", "revenue", "birthday", "base", "gold", "en", "percent", "2026-02-29"])
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
PARTS_OF_EVERYTHING = [found(EVERYTHING, here) for here in places(EVERYTHING)]
"""What stands anywhere in EVERYTHING; put elsewhere it is nearly right."""


@st.composite
def mutilated(draw: st.DrawFn) -> Any:
    """Draw a document with other things in some places, or nothing at all."""
    document = deepcopy(draw(st.sampled_from([EVERYTHING, WHOLESALE])))
    for _ in range(draw(st.integers(1, 4))):
        here = draw(st.sampled_from(list(places(document))))
        if not here:
            continue
        holder, name = found(document, here[:-1]), here[-1]
        match draw(st.integers(0, 3)):
            case 0:
                del holder[name]
            case 1:
                holder[name] = deepcopy(draw(st.sampled_from(PARTS_OF_EVERYTHING)))
            case 2 if isinstance(holder, dict):
                holder[draw(st.text(max_size=5) | st.just("_schema"))] = holder.pop(name)
            case _:
                holder[name] = deepcopy(draw(json_values | st.just(NESTED)))
    return document


def _loads_or_is_refused(document: Any) -> None:
    """Check that a document which loads can be measured, and else that its problems are said."""
    refused = told(document)
    if refused:
        assert all(isinstance(each.message, Message) for each in refused)
    else:
        policy = load(document)
        assert load(loads(dumps(document))).digest == policy.digest
        measure(policy, Client(), date(2026, 6, 30))


@given(mutilated())
def test_a_document_loads_or_is_refused_whatever_it_says(document: Any) -> None:
    _loads_or_is_refused(document)


@given(json_values)
def test_any_json_at_all_is_refused(document: Any) -> None:
    assert problems(document)


@pytest.mark.slow
@pytest.mark.parametrize("garbage", [{"key": [{}], "kind": []}, -1, NESTED])
def test_garbage_in_any_single_place_raises_nothing_else(garbage: object) -> None:
    for here in places(EVERYTHING):
        if here:
            _loads_or_is_refused(changed(EVERYTHING, here, garbage))


# -- canonical bytes and digest ----------------------------------------------------------------

SMALL = policy_document(
    [metric("stars", "decimal")],
    [tier("gold", entry=condition("stars", "at_least", Decimal("4.8")), name={"en": "Gold ☆"})],
)
CANONICAL = (
    '{"currency":"EUR","format":1,"key":"example","languages":["en"],"metrics":[{"key":"stars",'
    '"name":{"en":"stars"},"places":2,"source":{"attribute":"stars","kind":"attribute"},'
    '"type":"decimal"}],"name":{"en":"Example"},"tiers":[{"key":"base","name":{"en":"base"}},'
    '{"entry":{"metric":"stars","operator":"at_least","value":4.8},"key":"gold",'
    '"name":{"en":"Gold ☆"}}],"time_zone":"Europe/Kyiv"}'
)


def test_the_canonical_bytes_of_a_small_policy_never_change() -> None:
    assert canonical_bytes(SMALL).decode() == CANONICAL
    assert load(SMALL).digest == (
        "7f59c12b59a464e4dd70fef7817f0eee685d6b429772ce4d2cb17bb7cf031f65"
    )


def test_a_digest_is_the_sha_256_of_the_canonical_bytes() -> None:
    assert load(SMALL).digest == digest(SMALL) == sha256(CANONICAL.encode()).hexdigest()


def test_layout_and_the_order_of_names_do_not_change_the_digest() -> None:
    def reversed_names(node: Any) -> Any:
        if isinstance(node, dict):
            return {name: reversed_names(node[name]) for name in reversed(node)}
        return [reversed_names(each) for each in node] if isinstance(node, list) else node

    for text in (
        dumps(SMALL),
        dumps(SMALL, indent=4),
        dumps(reversed_names(SMALL)).replace("☆", "\\u2606"),
        dumps(SMALL).replace("4.8", "4.80"),
        dumps(SMALL).replace("4.8", "480e-2"),
        dumps(SMALL).replace("4.8", "0.48E+1"),
        dumps(SMALL).replace('"format": 1', '"format": 1.0'),
    ):
        assert load(loads(text)).digest == load(SMALL).digest


@pytest.mark.parametrize("document", [EVERYTHING, WHOLESALE])
def test_any_change_of_a_value_changes_the_digest(document: Document) -> None:
    digests = [digest(document)]
    for here in places(document):
        node = found(document, here)
        if isinstance(node, bool):
            digests.append(digest(changed(document, here, not node)))
        elif isinstance(node, int):
            digests.append(digest(changed(document, here, node + 1)))
        elif isinstance(node, str):
            digests.append(digest(changed(document, here, node + " ")))
        elif isinstance(node, list):
            digests.append(digest(changed(document, here, [*node, 0])))
        elif here:
            digests.append(digest(without(document, here)))

    assert len(digests) > 100
    assert len(set(digests)) == len(digests)


def test_the_order_of_a_list_counts() -> None:
    swapped = changed(EVERYTHING, ("languages",), ["uk", "en"])

    assert digest(swapped) != digest(EVERYTHING)


# -- letters ---------------------------------------------------------------------------------


def test_a_letter_has_the_same_languages_throughout() -> None:
    letter = {
        "key": "hello",
        "subject": {"en": "Hello"},
        "body": {"en": "Hello.", "uk": "Вітаємо."},
        "unnamed": {"en": "client"},
    }

    assert problems(policy_document(languages=["en", "uk"], letters=[letter])) == {
        "letters[0].subject.uk": "is missing",
        "letters[0].unnamed.uk": "is missing",
    }


def test_a_letter_is_there_in_the_first_language() -> None:
    letter = {"key": "hello", "subject": {"uk": "Вітаємо"}, "body": {"uk": "Вітаємо."}}

    assert problems(policy_document(languages=["en", "uk"], letters=[letter])) == {
        "letters[0].subject.en": "is missing",
        "letters[0].body.en": "is missing",
    }


@pytest.mark.parametrize("name", sorted(PLACEHOLDERS))
def test_a_letter_may_hold_a_name_where_it_means_something_and_nowhere_else(name: str) -> None:
    letter = {"key": "hello", "subject": names("Hello"), "body": names(f"${name}")}
    steps = (
        {"kind": "warning", "days": 1, "letter": "hello"},
        {"kind": "notice", "letter": "hello"},
        {"kind": "withdraw", "benefits": ["queue"], "letter": "hello"},
        {"kind": "demote", "to": "entitled", "letter": "hello"},
    )
    document = held_and_lost(*steps, benefits=[option("queue")])
    for each in document["tiers"][1:]:
        each["validity"] = {"kind": "fixed", "n": 1, "unit": "months"}
    document["letters"] = [letter]
    document["promotion"] = {"letter": "hello"}
    [demotion] = document["demotion_policies"]
    demotion.update(reinstatement_letter="hello", return_letter="hello")
    demoted = "demotion_policies[0]"
    places_of: dict[str, str] = {
        "promotion": "promotion.letter",
        "warning": f"{demoted}.steps[0].letter",
        "notice": f"{demoted}.steps[1].letter",
        "withdraw": f"{demoted}.steps[2].letter",
        "demote": f"{demoted}.steps[3].letter",
        "reinstatement": f"{demoted}.reinstatement_letter",
        "return": f"{demoted}.return_letter",
    }

    refused = {where for each, where in places_of.items() if each not in PLACEHOLDERS[name]}

    assert set(problems(document)) == refused


@pytest.mark.parametrize("name", ["deadline", "tier_after"])
def test_no_end_is_announced_by_a_policy_that_never_demotes(name: str) -> None:
    letter = {"key": "hello", "subject": names(f"By ${name}"), "body": names("Hello")}
    document = held_and_lost({"kind": "notice", "letter": "hello"})
    document["letters"] = [letter]

    assert problems(document) == {
        "demotion_policies[0].steps[0].letter": f"names a letter with ${name}, which stands for "
        "nothing in one of a notice"
    }


def test_a_name_begins_with_the_policys_first_language_however_it_is_written() -> None:
    name = {"en": "Gold", "uk": "Золото"}
    policy = load(
        {
            **policy_document(),
            "languages": ["uk", "en"],
            "name": name,
            "tiers": [{"key": "base", "name": name}],
        }
    )

    assert next(iter(policy.name.values())) == "Золото"
