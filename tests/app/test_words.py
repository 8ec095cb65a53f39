"""Sentences and what stands in them, written so that nobody reads more or less than there is."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any, Literal

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from app.words import LANGUAGES, Words
from rules.messages import Listed, Message
from rules.policy import Attribute, Metric
from rules.sentences import Named, Shown
from rules.vocabulary import LARGEST, MetricType, Value

WORDS = Words()
LAST = date(2026, 7, 31)
NAMES = {"en": "Silver", "uk": "Срібло"}


def of(
    kind: MetricType, places: int = 0, unit: Literal["percent"] | None = None, **parts: Any
) -> Metric:
    return Metric("m", {"en": "M"}, kind, Attribute("m"), places, unit, **parts)


MONEY, COUNT, DAYS = of(MetricType.MONEY), of(MetricType.COUNT), of(MetricType.DAYS)
STARS, SHARE = of(MetricType.DECIMAL, 2), of(MetricType.DECIMAL, 1, "percent")
TRADE = of(
    MetricType.CHOICE, options={"hotel": {"en": "A hotel", "uk": "Готель"}, "bar": {"en": "A bar"}}
)


def said(metric: Metric, value: Value, currency: str = "GBP", *, difference: bool = False) -> str:
    return WORDS.say(Shown(metric, value, currency, difference)).replace("\xa0", " ")


# -- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (MONEY, 0, "£0.00"),
        (MONEY, 5, "£0.05"),
        (MONEY, -5, "-£0.05"),
        (MONEY, 123456789, "£1,234,567.89"),
        (MONEY, LARGEST, "£10,000,000,000,000.00"),
        (COUNT, 0, "0"),
        (COUNT, 1234567, "1,234,567"),
        (COUNT, -3, "-3"),
        (DAYS, 1, "1 day"),
        (DAYS, 0, "0 days"),
        (DAYS, 1500, "1,500 days"),
        (STARS, 480, "4.8"),
        (STARS, 475, "4.75"),
        (STARS, 500, "5"),
        (STARS, -1, "-0.01"),
        (SHARE, 500, "50%"),
        (SHARE, 995, "99.5%"),
        (SHARE, -1, "-0.1%"),
        (of(MetricType.DECIMAL, 6), 1, "0.000001"),
        (of(MetricType.BOOLEAN), True, "yes"),
        (of(MetricType.BOOLEAN), False, "no"),
        (of(MetricType.DATE), date(2026, 7, 1), "July 1, 2026"),
        (TRADE, "hotel", "A hotel"),
    ],
)
def test_values_are_written_as_people_do(metric: Metric, value: Value, text: str) -> None:
    assert said(metric, value) == text


@pytest.mark.parametrize(
    ("currency", "text"),
    [("EUR", "€1,234.56"), ("JPY", "¥123,456"), ("KWD", "KWD123.456"), ("PLN", "PLN1,234.56")],
)
def test_money_has_the_places_of_its_currency(currency: str, text: str) -> None:
    assert said(MONEY, 123456, currency) == text


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (SHARE, 501, "50.1 percentage points"),
        (SHARE, 500, "50 percentage points"),
        (MONEY, 100, "£1.00"),
        (DAYS, 145, "145 days"),
        (COUNT, 2, "2"),
    ],
)
def test_a_difference_of_percentages_is_in_points(metric: Metric, value: Value, text: str) -> None:
    assert said(metric, value, difference=True) == text


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (MONEY, Fraction(299999, 3), "£999.997"),
        (MONEY, 100000 - Fraction(1, 10**9), "£999.99999999999"),
        (MONEY, 100000 + Fraction(1, 3), "£1,000.003"),
        (DAYS, Fraction(89, 3), "29.7 days"),
        (DAYS, 30 - Fraction(1, 10**5), "29.99999 days"),
        (COUNT, 30 - Fraction(1, 10**14), "29.99999999999999"),
        (SHARE, Fraction(1000, 3), "33.33%"),
        (SHARE, 500 - Fraction(1, 10**13), "49.99999999999999%"),
        (STARS, Fraction(1439, 3), "4.797"),
        (STARS, -Fraction(1, 3), "-0.003"),
    ],
)
def test_a_value_between_two_steps_is_never_rounded_to_one(
    metric: Metric, value: Value, text: str
) -> None:
    assert said(metric, value) == text


METRICS = [MONEY, COUNT, DAYS, STARS, SHARE, of(MetricType.DECIMAL, 6)]
NUMBERS = (
    st.integers(-LARGEST, LARGEST)
    | st.fractions(-LARGEST, LARGEST)
    | st.builds(
        lambda whole, power: Fraction(whole) + Fraction(1, 10**power),
        st.integers(-LARGEST, LARGEST - 1),
        st.integers(0, 40),
    )
)


@given(
    metric=st.sampled_from(METRICS),
    value=NUMBERS,
    currency=st.sampled_from(["GBP", "JPY", "KWD"]),
    limit=st.integers(-LARGEST, LARGEST),
)
def test_what_is_written_stands_to_every_limit_as_the_value_does(
    metric: Metric, value: int | Fraction, currency: str, limit: int
) -> None:
    text = said(metric, value, currency)
    places = get_currency_precision(currency) if metric is MONEY else metric.places

    written = Fraction(Decimal(re.sub(r"[^0-9.-]", "", text))) * 10**places

    for each in (limit, floor(value), floor(value) + 1):
        assert (written > each, written < each) == (value > each, value < each)


# -- names and lists -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        *(([], "Silver"), (["en"], "Silver"), (["uk"], "Срібло"), (["uk-UA"], "Срібло")),
        *((["de", "uk"], "Срібло"), (["de"], "Silver"), (["en", "uk"], "Silver")),
        *((["*"], "Silver"), ([""], "Silver"), (["_"], "Silver"), (["a" * 9999], "Silver")),
    ],
)
def test_a_name_is_in_the_first_language_wanted_that_it_is_there_in(
    wanted: list[str], name: str
) -> None:
    assert Words.negotiated(wanted).name(NAMES) == name


def test_a_name_in_none_of_the_languages_wanted_is_in_the_policys_first() -> None:
    assert Words.negotiated(["de"]).name({"uk": "Срібло", "pl": "Srebro"}) == "Срібло"


def test_an_option_is_called_by_its_name_where_it_has_one_in_the_language() -> None:
    words = Words.negotiated(["uk"])

    assert words.say(Shown(TRADE, "hotel", "GBP")) == "Готель"
    assert words.say(Shown(TRADE, "bar", "GBP")) == "A bar"


def test_sentences_are_in_a_language_there_is_a_catalogue_for() -> None:
    assert Words.negotiated(["uk", "de"]).language in LANGUAGES


@pytest.mark.parametrize(
    ("parts", "joined", "text"),
    [
        (("gold",), "and", "gold"),
        (("silver", "gold"), "and", "silver and gold"),
        (("silver", "gold"), "or", "silver or gold"),
        (("base", "silver", "gold"), "and", "base, silver, and gold"),
        (("base", "silver", "gold"), "or", "base, silver, or gold"),
    ],
)
def test_lists_are_strung_together(parts: tuple[str, ...], joined: str, text: str) -> None:
    assert WORDS.say(Listed(parts, joined)) == text


def test_a_list_may_hold_anything_that_can_be_said() -> None:
    parts = (Named(NAMES), Shown(DAYS, 30, "GBP"), date(2026, 7, 1), Message("%(n)d more", n=2))

    assert WORDS.say(Listed(parts)) == "Silver, 30 days, July 1, 2026, and 2 more"


# -- sentences -------------------------------------------------------------------------------


def test_a_sentence_is_filled_with_what_its_language_makes_of_the_parts() -> None:
    message = Message(
        "%(name)s until %(day)s: %(parts)s, %(number)d of %(what)s",
        name=Named({"en": "Silver", "de": "Silber"}),
        day=date(2026, 12, 31),
        parts=Listed((Shown(MONEY, 100, "GBP"), Shown(COUNT, 1000, "GBP"))),
        number=1000,
        what=Message("%(all)s", all="them"),
    )

    assert Words.negotiated(["de"]).say(message) == (
        "Silber until December 31, 2026: £1.00 and 1,000, 1000 of them"
    )


def test_a_sentence_begins_with_a_capital() -> None:
    assert WORDS.sentence(Message("%(name)s is reached.", name="gold")) == "Gold is reached."
    assert WORDS.sentence(Message("%(n)s is reached.", n="")) == " is reached."
    assert WORDS.sentence(Message("")) == ""


@pytest.mark.parametrize("name", ["50%", "%(tier)s", "%s", "100 %% pure", "{0}", "<b>", "%"])
def test_a_name_is_written_as_it_is_whatever_it_looks_like(name: str) -> None:
    assert WORDS.say(Message("%(tier)s holds.", tier=Named({"en": name}))) == f"{name} holds."


@pytest.mark.parametrize("value", ["1000", date(2026, 7, 1)])
def test_what_is_no_number_is_not_written_as_one(value: Value) -> None:
    with pytest.raises(TypeError):
        said(COUNT, value)


# -- one language ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "day", "amount"),
    [
        ("en", "July 1, 2026", "£1,234.50"),
        ("en-GB", "1 July 2026", "£1,234.50"),
        ("de", "1. Juli 2026", "1.234,50 £"),
        ("de-AT", "1. Juli 2026", "£ 1.234,50"),
        ("zh-Hans", "2026年7月1日", "£1,234.50"),
        ("xx", "July 1, 2026", "£1,234.50"),
        ("nonsense!", "July 1, 2026", "£1,234.50"),
    ],
)
def test_figures_are_written_in_languages_that_there_are_no_words_for(
    language: str, day: str, amount: str
) -> None:
    words = Words.of(language)
    said = [words.say(date(2026, 7, 1)), words.say(Shown(MONEY, 123450, "GBP"))]

    assert [re.sub(r"\s", " ", each) for each in said] == [day, amount]
    assert words.say(Message("client")) == "client"


def test_what_there_are_words_for_is_said_in_them() -> None:
    words = Words.of("uk-UA")
    said = words.say(Message("from %(first)s to %(last)s", first=date(2026, 7, 1), last=LAST))

    assert said == "з 1 липня 2026 року по 31 липня 2026 року"
    assert words.gettext("yes") == "так"
    assert words.gettext("this is no text of Merit’s") == "this is no text of Merit’s"


def test_a_number_takes_its_form_in_languages_that_have_several() -> None:
    assert [Words.of("uk").ngettext("%(n)s", "%(n)s of many", n) for n in (1, 2)] == [
        "%(n)s",
        "%(n)s of many",
    ]


def test_one_language_has_its_own_names() -> None:
    assert Words.of("uk").say(Named(NAMES)) == "Срібло"
    assert Words.of("de").say(Named(NAMES)) == "Silver"
