"""The reader's language: chosen on a page, or else the one their browser asks for."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_datetime, format_time
from babel.numbers import format_currency, get_currency_precision
from flask import Flask, Response, g, request
from jinja2.ext import InternationalizationExtension
from markupsafe import Markup

from app.merit import merit
from app.words import LANGUAGES, Words
from rules.messages import Message
from rules.policy import Names

COOKIE = "language"
_A_YEAR = 365 * 24 * 3600


def words() -> Words:
    """Return the words in which this request is answered."""
    if "words" not in g:
        chosen = request.args.get("language") or request.cookies.get(COOKIE)
        wanted = [chosen] if chosen in LANGUAGES else []
        g.words = Words.negotiated([*wanted, *request.accept_languages.values()])
    found: Words = g.words
    return found


def locale() -> str:
    """Return the reader's language as Flask-Babel and Flask-Admin name it."""
    return words().language


def register_language(pages: Flask) -> None:
    """Give the templates gettext, and values as the reader's language writes them."""
    pages.jinja_env.add_extension(InternationalizationExtension)
    pages.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # of the extension
        lambda text: words().gettext(text),
        lambda one, many, n: words().ngettext(one, many, n),
        newstyle=True,
    )
    pages.jinja_env.filters.update(say=_say, sentence=_sentence, name=_name)
    pages.jinja_env.filters.update(day=_day, at=_at, clock=_clock, iso=date.fromisoformat)
    pages.jinja_env.filters.update(money=_money)
    pages.context_processor(_offered)
    pages.after_request(_remember)


def _offered() -> dict[str, Any]:
    """What each template may use: the language, those there are, and the business date's zone."""
    return {
        "language": words().language,
        "languages": [(code, Locale.parse(code).get_display_name(code)) for code in LANGUAGES],
        "in_language": _in_language,
    }


def _in_language(code: str) -> str:
    """Return the address of this page in another language."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "language"]
    return f"{request.path}?{urlencode([*kept, ('language', code)])}"


def _remember(response: Response) -> Response:
    """Keep the language that a reader chose; on the page for everybody nothing is kept."""
    if request.blueprint == "public":
        return response
    chosen = request.args.get("language")
    if chosen in LANGUAGES:
        response.set_cookie(COOKIE, str(chosen), _A_YEAR, httponly=True, samesite="Lax")
    response.headers["Content-Language"] = words().language
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def _say(text: object) -> str:
    return text if isinstance(text, Markup) else words().say(text)


def _sentence(message: Message) -> str:
    return words().sentence(message)


def _name(names: Names) -> str:
    return words().name(names)


def _day(day: date | None) -> str:
    """Write a business date."""
    return "" if day is None else words().say(day)


def _money(amount: int | None) -> str:
    """Write an amount of the installation's currency."""
    if amount is None:
        return ""
    currency = merit().fixed.currency
    number = Decimal(amount).scaleb(-get_currency_precision(currency))
    return str(format_currency(number, currency, locale=words().language))


def _at(instant: datetime | None) -> str:
    """Write an instant on the company's clocks."""
    if instant is None:
        return ""
    local = instant.astimezone(ZoneInfo(merit().fixed.time_zone))
    return str(format_datetime(local, "d MMMM y, HH:mm", locale=words().language))


def _clock(instant: datetime) -> str:
    """Write the time of an instant, where its day stands already."""
    local = instant.astimezone(ZoneInfo(merit().fixed.time_zone))
    return str(format_time(local, "HH:mm", locale=words().language))
