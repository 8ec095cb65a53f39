"""The words of a policy: kinds of value, operators, and what numbers are counted in.

A *value* is what a metric came to for one client.  Numbers are always held in the metric's own
smallest step — money in minor units, a decimal with two places in hundredths — so that a value
on the grid is an ``int``.  An average or a ratio that falls between two steps stays an exact
``Fraction``; it is never rounded before it is compared.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

Number = int | Fraction
"""A number in a metric's smallest steps.  A ``Fraction`` is never whole: see :func:`settle`."""

Value = int | Fraction | bool | str | date
"""What a metric came to for one client."""

Limit = int | bool | str | date | tuple[int, int] | tuple[date, date] | tuple[str, ...]
"""What a condition compares a value with: always on the grid, so that limits are exact."""

LARGEST = 10**15
"""The largest number of smallest steps Merit decides about, either side of nought.

Twice this still fits the 2^53 in which the engine's arithmetic is exact (docs/engine.md)."""

EARLIEST_DAY = date(1800, 1, 1)
LATEST_DAY = date(2299, 12, 31)
"""Dates outside are taken for mistakes: nobody's birthday or contract lies there."""

FIRST_BUSINESS_DATE, LAST_BUSINESS_DATE = date(1970, 1, 1), date(2199, 12, 31)
"""Windows of a century reach back from any of these without leaving the calendar."""

CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD
    BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN
    ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
    IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD
    MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD
    OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU
    UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a list of 154 quoted codes would be read by nobody
)
"""The codes of ISO 4217 that are legal tender somewhere."""


class MetricType(StrEnum):
    """What kind of value a metric has."""

    MONEY = "money"
    COUNT = "count"
    DECIMAL = "decimal"
    DAYS = "days"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"


NUMERIC = frozenset({MetricType.MONEY, MetricType.COUNT, MetricType.DECIMAL, MetricType.DAYS})
"""The types whose values are numbers: they can be summed, averaged and divided."""


class Operator(StrEnum):
    """How a condition compares a value with its limit."""

    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    AT_MOST = "at_most"
    LESS_THAN = "less_than"
    EQUAL = "equal"
    NOT_EQUAL = "not_equal"
    BETWEEN = "between"
    ONE_OF = "one_of"
    NONE_OF = "none_of"
    IS = "is"
    IS_NOT = "is_not"
    ON_OR_AFTER = "on_or_after"
    BEFORE = "before"
    IS_KNOWN = "is_known"
    IS_NOT_KNOWN = "is_not_known"


KNOWNESS = (Operator.IS_KNOWN, Operator.IS_NOT_KNOWN)
"""The operators that take no limit and ask only whether there is a value."""

_NUMBER_OPERATORS = (
    Operator.AT_LEAST,
    Operator.MORE_THAN,
    Operator.AT_MOST,
    Operator.LESS_THAN,
    Operator.EQUAL,
    Operator.NOT_EQUAL,
    Operator.BETWEEN,
)

OPERATORS: dict[MetricType, tuple[Operator, ...]] = {
    **dict.fromkeys(NUMERIC, (*_NUMBER_OPERATORS, *KNOWNESS)),
    MetricType.DATE: (
        Operator.ON_OR_AFTER,
        Operator.BEFORE,
        Operator.EQUAL,
        Operator.NOT_EQUAL,
        Operator.BETWEEN,
        *KNOWNESS,
    ),
    MetricType.BOOLEAN: (Operator.IS, Operator.IS_NOT, *KNOWNESS),
    MetricType.CHOICE: (
        Operator.IS,
        Operator.IS_NOT,
        Operator.ONE_OF,
        Operator.NONE_OF,
        *KNOWNESS,
    ),
}
"""Which operators make sense for which type of metric."""


class Missing(StrEnum):
    """What it means for a metric to have no value (design: three-valued logic)."""

    UNKNOWN = "unknown"
    """A condition on it is met in neither direction."""

    ZERO = "zero"
    """It counts as nought."""

    CANNOT_DECIDE = "cannot_decide"
    """Where it could still lift the client, no tier is named until it is known."""


def exact(value: object) -> Fraction | None:
    """Return a number as JSON gives it — an ``int`` or a ``Decimal`` — as a fraction; else None."""
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Fraction(value)
    return None


def settle(number: Number) -> Number:
    """Return a whole ``Fraction`` as the ``int`` it is, and anything else unchanged."""
    if isinstance(number, Fraction) and number.denominator == 1:
        return number.numerator
    return number
