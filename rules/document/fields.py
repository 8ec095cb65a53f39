"""Strict marshmallow fields: nothing is converted, every refusal says what would be right.

What a field may name — metrics, tiers, benefits … — it finds in the :class:`Names` of the
document being read, gathered before the schemas run, so that a wrong reference is reported at
its own path together with every other error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import Schema, ValidationError, fields
from marshmallow.error_store import merge_errors

from rules.messages import N_, Message, alternatives
from rules.vocabulary import (
    CURRENCIES,
    EARLIEST_DAY,
    FIRST_BUSINESS_DATE,
    LARGEST,
    LAST_BUSINESS_DATE,
    LATEST_DAY,
    MetricType,
    exact,
)

Data = Mapping[str, Any] | None
KEY = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class MetricName:
    """As much of a metric as a reference to it needs."""

    type: MetricType
    places: int
    options: tuple[str, ...]
    source: Mapping[str, Any]
    unit: object = None


@dataclass(frozen=True, slots=True)
class Names:
    """What the parts of one document may refer to."""

    languages: tuple[str, ...]
    metrics: Mapping[str, MetricName]
    tiers: tuple[str, ...]
    lowest: object
    benefits: frozenset[str]
    standards: frozenset[str]
    demotion_policies: frozenset[str]
    letters: frozenset[str]


NAMES: ContextVar[Names] = ContextVar("names of the document being read")


def refuse(template: str, /, **params: object) -> ValidationError:
    """Return the error that says ``template``, filled in."""
    return ValidationError([Message(template, **params)])


_NO_OBJECT: dict[str, str] = {"type": Message("must be an object: {…}")}


class StrictSchema(Schema):
    """A schema that refuses names it does not know and says which it does."""

    error_messages = _NO_OBJECT

    def handle_error(self, error: ValidationError, data: Any, **kwargs: Any) -> None:
        """Replace marshmallow's word on unknown names by one that lists the known."""
        known = alternatives(sorted(field.data_key or name for name, field in self.fields.items()))
        problems = error.messages_dict
        for name, said in problems.items():
            if said == ["Unknown field."]:
                problems[name] = [Message("is not known here; known are %(names)s", names=known)]


_Read = TypeVar("_Read")
_ErrorMessages = dict[str, str | list[Any] | dict[Any, Any]]
_SAID: _ErrorMessages = {
    "required": Message("is missing"),
    "null": Message("must not be null; leave it out instead"),
    "invalid": Message("must be a list: […]"),
}


class Speaking:
    """What all fields say in the same words; marshmallow's own would forget the template."""

    default_error_messages = _SAID
    error_messages: _ErrorMessages
    required: bool

    def make_error(self, key: str, **kwargs: Any) -> ValidationError:
        if key == "null" and self.required:
            return refuse("must not be null")
        return ValidationError([self.error_messages[key]])


class StrictField(Speaking, fields.Field[_Read]):
    """A field that converts nothing; ``shape`` is what a JSON Schema says of it."""

    def __init__(
        self, shape: Mapping[str, Any], metadata: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(metadata={**(metadata or {}), **shape}, **kwargs)


class Nested(Speaking, fields.Nested):
    """An object of one schema."""


class Text(StrictField[str]):
    """A text people read: not blank, no control characters, at most ``longest`` long."""

    def __init__(self, longest: int = 200, **kwargs: Any) -> None:
        super().__init__({"type": "string", "minLength": 1, "maxLength": longest}, **kwargs)
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise refuse("must be a text")
        if len(value) > self.longest:
            raise refuse("must be at most %(n)d characters long", n=self.longest)
        if _CONTROL.search(value):
            raise refuse("must not hold control characters")
        return value


class Key(StrictField[str]):
    """A name the machine uses: small letters, digits and underscores."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "pattern": f"^{KEY.pattern}$"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        if not isinstance(value, str) or not KEY.fullmatch(value):
            raise refuse(
                "must be a key: a small letter, then small letters, digits and underscores, "
                "at most 63 in all"
            )
        return value


class Word(StrictField[str]):
    """One of a fixed set of words."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        super().__init__({"type": "string", "enum": list(words)}, **kwargs)
        self.words = words

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        if value not in self.words:
            raise refuse("must be %(words)s", words=alternatives(self.words))
        return str(value)


class Whole(StrictField[int]):
    """A whole number from ``least`` to ``most``."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        super().__init__({"type": "integer", "minimum": least, "maximum": most}, **kwargs)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> int:
        if type(value) is not int or not self.least <= value <= self.most:
            raise refuse(
                "must be a whole number from %(least)d to %(most)d",
                least=self.least,
                most=self.most,
            )
        return value


class Flag(StrictField[bool]):
    """True or false."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "boolean"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise refuse("must be true or false")
        return value


class Exact(StrictField[Fraction]):
    """A number with at most ``places`` decimal places, read exactly."""

    def __init__(self, places: int, most: int, **kwargs: Any) -> None:
        super().__init__({"type": "number", "minimum": -most, "maximum": most}, **kwargs)
        self.places, self.most = places, most

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> Fraction:
        number = exact(value)
        if number is None or abs(number) > self.most or (number * 10**self.places).denominator != 1:
            raise refuse(
                "must be a number from -%(most)d to %(most)d with at most %(places)d "
                "decimal places",
                most=self.most,
                places=self.places,
            )
        return number


class Day(StrictField[date]):
    """A day as YYYY-MM-DD."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "format": "date"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> date:
        return read_day(value)


def read_day(value: object) -> date:
    """Read YYYY-MM-DD; ISO's other spellings are refused, so that a day has one."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = date.min
        if EARLIEST_DAY <= day <= LATEST_DAY:
            return day
    raise refuse(
        "must be a day that exists, written YYYY-MM-DD, from %(first)s to %(last)s",
        first=EARLIEST_DAY.isoformat(),
        last=LATEST_DAY.isoformat(),
    )


class BusinessDay(Day):
    """A day on which clients can be judged."""

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> date:
        day = read_day(value)
        if not FIRST_BUSINESS_DATE <= day <= LAST_BUSINESS_DATE:
            raise refuse(
                "must be a business date from %(first)s to %(last)s",
                first=FIRST_BUSINESS_DATE.isoformat(),
                last=LAST_BUSINESS_DATE.isoformat(),
            )
        return day


class MonthDay(StrictField[tuple[int, int]]):
    """A day of every year as MM-DD; 29 February does not come every year and is refused."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "pattern": "^[0-9]{2}-[0-9]{2}$"}, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Data, **kwargs: Any
    ) -> tuple[int, int]:
        if isinstance(value, str) and re.fullmatch(r"[0-9]{2}-[0-9]{2}", value):
            try:
                day = date.fromisoformat(f"2001-{value}")
            except ValueError:
                pass
            else:
                return day.month, day.day
        raise refuse("must be a day of every year, written MM-DD")


class Currency(StrictField[str]):
    """An ISO 4217 code."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "enum": sorted(CURRENCIES)}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in CURRENCIES:
            raise refuse("must be the code of a currency (ISO 4217), such as EUR")
        return value


class TimeZone(StrictField[str]):
    """An IANA time zone."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as error:
            raise refuse("must be a time zone, such as Europe/Kyiv") from error


class LanguageCode(StrictField[str]):
    """A language tag of BCP 47, as short as most are."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "pattern": f"^{_LANGUAGE.pattern}$"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        if not isinstance(value, str) or not _LANGUAGE.fullmatch(value):
            raise refuse("must be a language code such as en or uk")
        return value


class Translated(StrictField[dict[str, str]]):
    """A text in the languages of the policy; in the first of them always."""

    def __init__(self, text: Text | None = None, **kwargs: Any) -> None:
        self.text = text or Text()
        shape = {"type": "object", "minProperties": 1}
        super().__init__({**shape, "additionalProperties": self.text.metadata}, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Data, **kwargs: Any
    ) -> dict[str, str]:
        languages = NAMES.get().languages
        if not isinstance(value, dict):
            raise refuse('must be a text by language, such as {"en": "Gold"}')
        errors: dict[str, list[str]] = {}
        for code, words in value.items():
            if languages and code not in languages:
                errors[code] = [
                    Message(
                        "is not a language of this policy; these are %(languages)s",
                        languages=alternatives(languages),
                    )
                ]
                continue
            try:
                self.text.deserialize(words)
            except ValidationError as error:
                errors[code] = list(error.messages)
        if languages and languages[0] not in value:
            errors[languages[0]] = [Message("is missing")]
        if errors:
            raise ValidationError(errors)
        return {code: value[code] for code in languages or value if code in value}


_REFERRED = {
    "benefits": N_("benefits"),
    "demotion_policies": N_("demotion policies"),
    "letters": N_("letters"),
    "standards": N_("standards"),
    "tiers": N_("tiers"),
}


class Reference(StrictField[str]):
    """The key of something else in the document: a standard, a benefit, a demotion policy."""

    def __init__(self, to: str, **kwargs: Any) -> None:
        super().__init__({"type": "string"}, **kwargs)
        self.to = to

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        known: Sequence[str] = sorted(getattr(NAMES.get(), self.to))
        if value not in known:
            raise refuse(
                "names none of the policy's %(what)s (%(known)s)",
                what=Message(_REFERRED[self.to]),
                known=alternatives(known),
            )
        return str(value)


class MetricReference(StrictField[str]):
    """The key of a metric, of one of ``types`` where these are given."""

    def __init__(self, types: frozenset[MetricType] = frozenset(MetricType), **kw: Any) -> None:
        super().__init__({"type": "string"}, **kw)
        self.types = types

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        metric = metric_named(value)
        if metric.type not in self.types:
            raise refuse(
                "must name a metric of type %(types)s; %(key)s is of type %(type)s",
                types=alternatives(sorted(self.types)),
                key=value,
                type=metric.type.value,
            )
        return str(value)


def metric_named(key: object) -> MetricName:
    """Return the metric a reference names."""
    metrics = NAMES.get().metrics
    if not isinstance(key, str) or key not in metrics:
        raise refuse(
            "names none of the policy's metrics (%(known)s)",
            known=alternatives(sorted(metrics)),
        )
    return metrics[key]


class Union(StrictField[Any]):
    """One of several shapes, told apart by the word under ``kind``."""

    def __init__(self, shapes: Mapping[str, type[StrictSchema]], **kwargs: Any) -> None:
        super().__init__({}, **kwargs)
        self.shapes = shapes

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> Any:
        if not isinstance(value, dict):
            raise refuse("must be an object: {…}")
        kind = value.get("kind")
        if not isinstance(kind, str) or kind not in self.shapes:
            raise ValidationError(
                {"kind": [Message("must be %(words)s", words=alternatives(list(self.shapes)))]}
            )
        return self.shapes[kind]().load(value)


class ListOf(Speaking, fields.List[Any]):
    """A list with bounds, its elements each of one field."""

    def __init__(
        self, inner: fields.Field[Any], least: int = 0, most: int = 200, **kwargs: Any
    ) -> None:
        super().__init__(inner, **kwargs)
        self.least, self.most = least, most
        self.metadata = {**self.metadata, "minItems": least, "maxItems": most}

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and not self.least <= len(value) <= self.most:
            raise refuse(
                "must have %(least)d to %(most)d entries", least=self.least, most=self.most
            )
        return super()._deserialize(value, attr, data, **kwargs)


class Distinct(ListOf):
    """A list of words, none of them twice."""

    def __init__(self, inner: fields.Field[Any], least: int, most: int, **kwargs: Any) -> None:
        super().__init__(inner, least, most, **kwargs)
        self.metadata = {**self.metadata, "uniqueItems": True}

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> list[Any]:
        found = super()._deserialize(value, attr, data, **kwargs)
        if len(set(found)) < len(found):
            raise refuse("must not name anything twice")
        return found


class Keyed(ListOf):
    """A list of things with keys, no key twice."""

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> list[Any]:
        errors: Any = {}
        seen: set[str] = set()
        for index, entry in enumerate(value if isinstance(value, list) else ()):
            key = entry.get("key") if isinstance(entry, dict) else None
            if not isinstance(key, str):
                continue
            if key in seen:
                errors[index] = {"key": [Message("stands twice in this list")]}
            seen.add(key)
        found: list[Any] = []
        try:
            found = super()._deserialize(value, attr, data, **kwargs)
        except ValidationError as error:
            errors = merge_errors(errors, error.messages)  # type: ignore[no-untyped-call]  # marshmallow's
        if errors:
            raise ValidationError(errors)
        return found


def scaled(value: object, metric: MetricName) -> int:
    """Read a number written in a metric's unit as a whole number of its smallest steps."""
    number, places = exact(value), metric.places
    if number is not None:
        steps: Fraction = number * 10**places
        if steps.denominator == 1 and abs(steps) <= LARGEST:
            return steps.numerator
    if places:
        raise refuse(
            "must be a number with at most %(places)d decimal places, between -%(most)d and "
            "%(most)d",
            places=places,
            most=LARGEST // 10**places,
        )
    raise refuse(whole(metric.type), most=LARGEST)


def whole(kind: MetricType) -> str:
    """Return what is said of a number that is not whole, or too large."""
    if kind is MetricType.MONEY:
        return N_(
            "must be a whole number of minor units (cents, pence …) between -%(most)d and %(most)d"
        )
    return N_("must be a whole number between -%(most)d and %(most)d")
