"""What stands in a field, and what it means in a document: one pair of functions for each kind.

What cannot be read is kept as it was typed, so that the error stands at its field and nothing is
lost; an empty field leaves its part out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from babel.numbers import (
    NumberFormatError,
    format_decimal,
    get_currency_precision,
    parse_decimal,
)

from rules.document.merge import ABSENT
from rules.document.strict_json import dumps
from rules.messages import N_
from rules.vocabulary import MetricType


@dataclass(frozen=True, slots=True)
class Manner:
    """How a reader writes numbers, and in which currency amounts are."""

    language: str
    currency: str

    @property
    def places(self) -> int:
        """How many decimal places an amount of money has."""
        return get_currency_precision(self.currency)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of field: what is written into it, what was typed means, and what it asks for."""

    write: Callable[[Any, Manner], str]
    read: Callable[[str, Manner], Any]
    wanted: str = ""


NOT_KNOWN = "?"
"""What is typed where a value is stated not to be known."""


def write(kind: str, value: Any, manner: Manner) -> list[str]:
    """Return what stands in the inputs of a field for a value, or for none."""
    if kind.startswith("pair-"):
        pair = value if isinstance(value, list) else [value]
        return [*(_write(kind[5:], each, manner) for each in pair[:2]), "", ""][:2]
    if kind == "choices":
        return [str(each) for each in value] if isinstance(value, list) else []
    return [_write(kind, value, manner)]


def read(kind: str, typed: Sequence[str], manner: Manner) -> Any:
    """Return the value that was typed; :data:`ABSENT` for an empty field."""
    if kind.startswith("pair-"):
        pair = [_read(kind[5:], each, manner) for each in (*typed, "", "")[:2]]
        if pair == [ABSENT, ABSENT]:
            return ABSENT
        return ["" if each is ABSENT else each for each in pair]
    if kind == "choices":
        return [each for each in typed if each] or ABSENT
    return _read(kind, typed[-1] if typed else "", manner)


def _write(kind: str, value: Any, manner: Manner) -> str:
    if value is ABSENT:
        return ""
    if value is None:
        return NOT_KNOWN
    if isinstance(value, dict) or (isinstance(value, list) and kind != "list"):
        return dumps(value)
    return KINDS.get(kind.removesuffix("?"), KINDS["word"]).write(value, manner)


def _read(kind: str, typed: str, manner: Manner) -> Any:
    if not typed.strip():
        return ABSENT
    if kind.endswith("?") and typed.strip() == NOT_KNOWN:
        return None
    return KINDS[kind.removesuffix("?")].read(typed, manner)


# -- one kind after the other ------------------------------------------------------------------


def _plain(value: Any, _: Manner) -> str:
    return value if isinstance(value, str) else dumps(value)


def _text(typed: str, _: Manner) -> str:
    return typed.strip()


def _lines(typed: str, _: Manner) -> str:
    return typed.replace("\r\n", "\n")


def _number(value: Any, manner: Manner, places: int = 0) -> str:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return _plain(value, manner)
    shifted = Decimal(value).scaleb(-places)
    return str(
        format_decimal(
            shifted,
            locale=manner.language,
            decimal_quantization=False,
            group_separator=False,
        )
    )


def _exact(typed: str, manner: Manner) -> Decimal | None:
    """Return a number as the reader's language writes it, or as programs do; None if it is none."""
    text = re.sub(r"[\s\u00a0\u202f]", "", typed)
    if not re.fullmatch(r"[-+\u2212]?[0-9][0-9.,'’]{0,22}|[-+\u2212]?[.,][0-9]{1,20}", text):
        return None
    try:
        found = parse_decimal(text.replace("\u2212", "-"), locale=manner.language, strict=True)
    except NumberFormatError:
        if not re.fullmatch(r"[-+]?[0-9]+\.[0-9]+", text):
            return None
        found = Decimal(text)
    return Decimal(found)


def _settled(number: Decimal) -> int | Decimal:
    return int(number) if number == number.to_integral_value() else number.normalize()


def _whole(typed: str, manner: Manner) -> Any:
    number = _exact(typed, manner)
    return int(number) if number is not None and number == int(number) else typed.strip()


def _decimal(typed: str, manner: Manner) -> Any:
    number = _exact(typed.strip().removesuffix("%"), manner)
    return typed.strip() if number is None else _settled(number)


_SIGNS = re.compile(r"[\s\u00a0\u202f]*[A-Z]{3}[\s\u00a0\u202f]*|[^\w\s.,'’+\u2212-]")


def _money(typed: str, manner: Manner) -> Any:
    number = _exact(_SIGNS.sub("", typed), manner)
    minor = None if number is None else number.scaleb(manner.places)
    return int(minor) if minor is not None and minor == int(minor) else typed.strip()


def _flag(typed: str, _: Manner) -> Any:
    return {"yes": True, "no": False}.get(typed.strip(), typed.strip())


def _flagged(value: Any, manner: Manner) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else _plain(value, manner)


def _list(typed: str, _: Manner) -> list[str]:
    return [each.strip() for each in re.split(r"[,;\n]", typed) if each.strip()]


def _listed(value: Any, manner: Manner) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else _plain(value, manner)


_BUILT_IN = ("amount", "quantity", "product", "channel")


def _column(typed: str, _: Manner) -> str:
    name = typed.strip()
    return name if name in _BUILT_IN else f"attribute:{name.removeprefix('attribute:')}"


def _named_column(value: Any, manner: Manner) -> str:
    return _plain(value, manner).removeprefix("attribute:")


def _loose(typed: str, manner: Manner) -> Any:
    """Read what an attribute of an activity may be: yes or no, a number, or a text (in quotes)."""
    text = typed.strip()
    if text in ("yes", "no"):
        return text == "yes"
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return _decimal(text, manner)


def _loosened(value: Any, manner: Manner) -> str:
    if isinstance(value, str):
        return value if _loose(value, manner) == value else f'"{value}"'
    return _flagged(value, manner) if isinstance(value, bool) else _number(value, manner)


KINDS: dict[str, Kind] = {
    "text": Kind(_plain, _text),
    "lines": Kind(_plain, _lines),
    "word": Kind(_plain, _text),
    "whole": Kind(_number, _whole, N_("must be a whole number, such as 12")),
    "decimal": Kind(_number, _decimal, N_("must be a number, such as 4.5")),
    "money": Kind(
        lambda value, manner: _number(value, manner, manner.places),
        _money,
        N_("must be an amount of money, such as 1250"),
    ),
    "flag": Kind(_flagged, _flag, N_("must be yes or no")),
    "date": Kind(_plain, _text, N_("must be a day, such as 2026-07-01")),
    "list": Kind(_listed, _list),
    "column": Kind(_named_column, _column),
    "loose": Kind(_loosened, _loose),
}
"""The kinds of fields; ``pair-KIND`` is two of them, ``KIND?`` may say that it is not known, and
``choices`` is any number of options."""

OF_TYPES: dict[MetricType, str] = {
    MetricType.MONEY: "money",
    MetricType.COUNT: "whole",
    MetricType.DECIMAL: "decimal",
    MetricType.DAYS: "whole",
    MetricType.DATE: "date",
    MetricType.BOOLEAN: "flag",
    MetricType.CHOICE: "word",
}
"""The kind of field in which a value of a metric is typed."""


def fits(kind: MetricType, value: object) -> bool:
    """Tell whether a value as it is written could be one of a metric of this type."""
    match kind:
        case MetricType.BOOLEAN:
            return isinstance(value, bool)
        case MetricType.DATE | MetricType.CHOICE:
            return isinstance(value, str)
        case MetricType.DECIMAL:
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case _:
            return type(value) is int
