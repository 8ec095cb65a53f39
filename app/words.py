"""Sentences in the reader's language: templates through gettext, values as the language does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, localcontext
from functools import cache, cached_property, lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.core import negotiate_locale
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.localedata import locale_identifiers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import (
    format_currency,
    format_decimal,
    get_currency_precision,
)
from babel.support import NullTranslations, Translations
from babel.units import format_unit

from rules.messages import N_, Listed, Message
from rules.policy import Names
from rules.sentences import DayOfYear, Length, Named, Shown
from rules.vocabulary import MetricType, Number

CATALOGUES = Path(__file__).parent / "translations"
LANGUAGES = ("en", "uk")
"""Languages that there are words for; English is the source and needs no catalogue."""

_MOST_LANGUAGES = 10

_YES, _NO, _POINTS = N_("yes"), N_("no"), N_("%(number)s percentage points")


@dataclass(frozen=True)
class Words:
    """One reader's language."""

    language: str = "en"
    """The language of the sentences, one that there is a catalogue for."""

    names: tuple[str, ...] = ()
    """The languages wanted for a policy's own names, before that of the sentences."""

    figures: str = ""
    """The language of numbers, dates and lists, if it is not that of the sentences."""

    @classmethod
    def negotiated(cls, wanted: Sequence[str]) -> Words:
        """Return the first wanted language that there is a catalogue for, else English.

        Names are written in the first wanted language that they are there in.
        """
        found = negotiate_locale([each.replace("-", "_") for each in wanted], LANGUAGES)
        return _words(found or LANGUAGES[0], tuple(wanted[:_MOST_LANGUAGES]))

    @classmethod
    def of(cls, language: str) -> Words:
        """Return one language, as far as there are words for it: figures in almost any."""
        return _alone(language)

    @cached_property
    def _locale(self) -> Locale:
        return Locale.parse(self.figures or self.language)

    @cached_property
    def _translations(self) -> NullTranslations:
        return _catalogue(self.language)

    def gettext(self, text: str) -> str:
        """Return a text of the catalogue, with its places still to be filled in."""
        return self._translations.gettext(text)

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Return a text of the catalogue in the form that goes with a number."""
        return self._translations.ngettext(one, many, n)

    def say(self, text: object) -> str:
        """Write anything that stands in a sentence, or a whole one."""
        match text:
            case Message():
                return self._fill(text)
            case Named():
                return self.name(text.names)
            case Shown():
                return self._value(text)
            case Listed():
                parts = [self.say(part) for part in text.parts]
                return format_list(parts, "or" if text.joined == "or" else "standard", self._locale)
            case date():
                return _day(self._locale, text)
            case DayOfYear(month, day):
                return format_skeleton("MMMMd", date(2001, month, day), locale=self._locale)
            case Length(n, unit):
                return format_unit(n, f"duration-{unit}", "long", locale=self._locale)
            case _:
                return str(text)

    def sentence(self, message: Message) -> str:
        """Write a whole sentence: like :meth:`say`, its first letter a capital."""
        text = self.say(message)
        return text[:1].upper() + text[1:]

    def name(self, names: Names) -> str:
        """Return a name in the first language wanted that it has, or else in the policy's first."""
        for code in (*self.names, self.language):
            for language in (code, code.partition("-")[0]):
                if language in names:
                    return names[language]
        return next(iter(names.values()))

    def _fill(self, message: Message) -> str:
        template = self.gettext(message.id)
        return template % {
            key: value if isinstance(value, int) else self.say(value)
            for key, value in message.params.items()
        }

    def _value(self, shown: Shown) -> str:
        metric, value = shown.metric, shown.value
        match metric.type:
            case MetricType.BOOLEAN:
                return self.gettext(_YES if value else _NO)
            case MetricType.CHOICE:
                return self.name(metric.options[str(value)])
            case MetricType.DATE:
                if isinstance(value, date):
                    return _day(self._locale, value)
        if isinstance(value, str | date):
            raise TypeError(f"{metric.key} is a number, not {value!r}")
        unit = _Unit(metric.type, metric.places, metric.unit == "percent", shown.currency)
        number = _number(self._locale, unit, value)
        if unit.percent and shown.difference:
            template = self.gettext(_POINTS)
            return template % {"number": number.rstrip("%\xa0 ")}
        return number


@lru_cache(maxsize=32)
def _words(language: str, names: tuple[str, ...]) -> Words:
    return Words(language, names)


@lru_cache(maxsize=32)
def _alone(language: str) -> Words:
    figures = negotiate_locale([language.replace("-", "_")], locale_identifiers())
    return replace(Words.negotiated([language]), figures=figures or "")


@cache
def _catalogue(language: str) -> NullTranslations:
    """Read a language's catalogue: the text itself, so that there is nothing to compile first."""
    if language == LANGUAGES[0]:
        return NullTranslations()
    compiled = BytesIO()
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as text:
        write_mo(compiled, read_po(text, language))
    compiled.seek(0)
    return Translations(compiled)


_DAYS = {"uk": "d MMMM y 'року'"}
"""How dates are written where the language's own way ends in a full stop, as sentences do."""


@lru_cache(maxsize=65536)
def _day(locale: Locale, day: date) -> str:
    return format_date(day, _DAYS.get(locale.language, "long"), locale)


@lru_cache(maxsize=65536)
def _number(locale: Locale, metric: _Unit, value: Number) -> str:
    """Write a number of a metric; remembered, for limits come again with every client."""
    places = metric.places
    if metric.type is MetricType.MONEY:
        places = get_currency_precision(metric.currency)
    number = _legible(places, value)
    with localcontext(prec=len(number.as_tuple().digits) + abs(number.adjusted())):
        if metric.type is MetricType.MONEY:
            return format_currency(
                number, metric.currency, locale=locale, decimal_quantization=False
            )
        if metric.type is MetricType.DAYS:
            return format_unit(number, "duration-day", "long", _plain(number), locale=locale)
        if metric.percent:
            return format_unit(number, "concentr-percent", "short", _plain(number), locale=locale)
        return format_decimal(number, _plain(number), locale=locale)


def _plain(number: Decimal) -> str:
    """Return the pattern that writes all of a number's digits."""
    exponent = number.as_tuple().exponent
    return "#,##0." + "#" * -int(exponent)


@dataclass(frozen=True, slots=True)
class _Unit:
    """As much of a metric as the writing of its numbers needs."""

    type: MetricType
    places: int
    percent: bool
    currency: str


def _legible(places: int, value: Number) -> Decimal:
    """Return a number in its unit; one between two steps with digits enough to show that."""
    digits = 0
    while round(value, digits) == round(value) != value:
        digits += 1
    return Decimal(f"{round(value * 10**digits)}e{-places - digits}")
