"""JSON as Merit takes it and gives it: exact, unambiguous, bounded."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Context, Decimal
from hashlib import sha256
from typing import NoReturn

import simplejson

from rules.messages import Message

_DEEPEST = 100
_LONGEST_NUMBER = 40
_EXACT = Context(prec=2 * _LONGEST_NUMBER, traps=[])


class JsonRefused(ValueError):
    """The text is not JSON as Merit takes it; the message says what to change."""

    def __init__(self, message: Message) -> None:
        super().__init__(message)
        self.message = message


def loads(text: str | bytes) -> object:
    """Read JSON strictly: numbers exactly, no NaN, no duplicate names, no lone surrogates.

    A number with a point or exponent becomes a ``Decimal`` — an ``int`` if it has no digits
    after the point — so that 4.80 and 4.8 are the same and nothing passes through a float.

    :raises JsonRefused: for anything that is not JSON or could be read in two ways.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value: object = json.loads(
            text,
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as error:
        raise JsonRefused(
            Message("The text is not UTF-8 (byte %(position)d).", position=error.start)
        ) from error
    except json.JSONDecodeError as error:
        raise JsonRefused(
            Message(
                "This is not JSON: %(reason)s in line %(line)d, column %(column)d.",
                reason=error.msg,
                line=error.lineno,
                column=error.colno,
            )
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    if _is_deeper_than(_DEEPEST, value):
        raise _too_deep()
    try:
        (dumps(value) if "\\u" in text else text).encode()
    except UnicodeEncodeError as error:
        raise JsonRefused(
            Message("A text holds half of a character (a lone surrogate).")
        ) from error
    return value


def dumps(value: object, *, indent: int | None = None) -> str:
    """Write JSON with exact decimals and every character as itself."""
    return simplejson.dumps(value, ensure_ascii=False, use_decimal=True, indent=indent)


def canonical_bytes(document: object) -> bytes:
    """Return the one sequence of bytes that stands for a document, however it was laid out.

    Names in order of their code points, no white space, UTF-8, numbers in their shortest form.
    """
    return simplejson.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, use_decimal=True
    ).encode()


def digest(document: object) -> str:
    """Return the SHA-256 of a document's canonical bytes, in hex."""
    return sha256(canonical_bytes(document)).hexdigest()


def _decimal(text: str) -> int | Decimal:
    number = _EXACT.create_decimal(_short(text))
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST_NUMBER:
        raise JsonRefused(Message("The number %(number)s is out of all proportion.", number=text))
    exact = int(number) if number == number.to_integral_value() else number.normalize(_EXACT)
    _short(str(exact))  # or what is written could not be read again
    return exact


def _integer(text: str) -> int:
    return int(_short(text))


def _short(number: str) -> str:
    if len(number) > _LONGEST_NUMBER:
        raise JsonRefused(Message("A number has more than %(n)d characters.", n=_LONGEST_NUMBER))
    return number


def _no_constant(name: str) -> NoReturn:
    raise JsonRefused(Message("%(name)s is not a number that can be decided about.", name=name))


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        name = twice.encode(errors="backslashreplace").decode()
        raise JsonRefused(Message("The name %(name)s stands twice in one object.", name=name))
    return found


def _is_deeper_than(limit: int, value: object) -> bool:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            part
            for each in level
            for part in (each.values() if isinstance(each, dict) else each)
            if isinstance(part, dict | list)
        ]
    return bool(level)


def _too_deep() -> JsonRefused:
    return JsonRefused(Message("The JSON is nested too deeply."))
