"""Every sentence can be filled with what it is given: in the source, and in other languages."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from app.words import CATALOGUES, LANGUAGES, Words
from rules.messages import Message
from tests.app.asking import ROOT

TAKING_TEMPLATES = {
    *("Message", "refuse", "Conflict", "NameInvalid", "NameTaken", "NotActionable", "NotAllowed"),
    *("NotThere", "Stale", "StillRunning"),
}
PLACE = re.compile(r"%\((\w+)\)[sd]")

pytestmark = pytest.mark.slow  # the same on every Python


@dataclass(frozen=True, slots=True)
class Sentence:
    """A template as it stands in the source; ``given`` is None where others fill it."""

    where: str
    template: str
    given: frozenset[str] | None

    def __str__(self) -> str:
        """Name the sentence in the id of a test."""
        return f"{self.where} {self.template}"


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def sentences() -> Iterator[Sentence]:
    parts = ("admin", "app", "rules")
    for path in sorted(each for part in parts for each in (ROOT / part).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            template, name = node.args[0], _called(node)
            if not isinstance(template, ast.Constant) or not isinstance(template.value, str):
                assert name != "N_", f"{path}:{node.lineno} marks no text"
                continue
            where = f"{path.relative_to(ROOT)}:{node.lineno}"
            if name == "N_":
                yield Sentence(where, template.value, None)
            if name in TAKING_TEMPLATES:
                given = frozenset(keyword.arg or "**" for keyword in node.keywords)
                yield Sentence(where, template.value, given)


TEMPLATES = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
PAGES = sorted((ROOT / "admin" / "templates").rglob("*.html"))


def sentences_of_pages() -> Iterator[Sentence]:
    """Yield what templates have translated: each ``_("…", name=…)`` in them."""
    for path in PAGES:
        for call in TEMPLATES.parse(path.read_text(encoding="utf-8")).find_all(nodes.Call):
            if not isinstance(call.node, nodes.Name) or call.node.name not in ("_", "gettext"):
                continue
            if isinstance(call.args[0], nodes.Const):
                where = f"{path.relative_to(ROOT)}:{call.lineno}"
                given = frozenset(keyword.key for keyword in call.kwargs)
                yield Sentence(where, call.args[0].value, given)


SENTENCES = tuple(dict.fromkeys((*sentences(), *sentences_of_pages())))
FILLED = [each for each in SENTENCES if each.given is not None]


def test_the_source_has_sentences_to_look_at() -> None:
    assert len(SENTENCES) > 200
    assert {each.where.split("/")[0] for each in SENTENCES} == {"admin", "app", "rules"}


@pytest.mark.parametrize("sentence", FILLED, ids=str)
def test_a_sentence_is_given_what_it_asks_for_and_nothing_else(sentence: Sentence) -> None:
    assert frozenset(PLACE.findall(sentence.template)) == sentence.given


@pytest.mark.parametrize("sentence", SENTENCES, ids=str)
def test_a_sentence_can_be_said(sentence: Sentence) -> None:
    assert "%" not in PLACE.sub("", sentence.template).replace("%%", "")
    places = dict.fromkeys(PLACE.findall(sentence.template), 7)

    said = Words().say(Message(sentence.template, **places))

    assert said.count("7") >= len(places)
    assert said == Message(sentence.template, **places)


class _Texts(HTMLParser):
    """Gathers what a page says: its texts, and those attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._unread = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in UNREAD
        self.said += [f"\n{text}\n" for name, text in attrs if name in READ_OUT]

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.said.append(data)


UNREAD, READ_OUT = {"script", "style"}, {"alt", "aria-label", "placeholder", "title"}
NAMES_OF_OURS = {"Merit", "UTC"}
ATTRIBUTE = re.compile(r'[\w-]+="[^"]*"')
"""What a template puts together for the tags of others."""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_says_nothing_that_cannot_be_translated(path: Path) -> None:
    page = _Texts()
    for part in TEMPLATES.parse(path.read_text(encoding="utf-8")).find_all(nodes.Output):
        for node in part.nodes:
            page.feed(node.data if isinstance(node, nodes.TemplateData) else "\n")

    said = ATTRIBUTE.sub("", "".join(page.said))
    words = set(re.findall(r"(?<![-\w])[A-Za-z]{2,}", said))
    assert words <= NAMES_OF_OURS


# -- other languages -----------------------------------------------------------------------------

OTHERS = LANGUAGES[1:]
TYPED = re.compile(r"%\((\w+)\)([sd])")
NAMED = re.compile(r"\$\w+")
ENDS = (".", ":", ";", "?", "!", "\n", " ")
ABBREVIATED = {"%(number)s percentage points"}
"""What some languages end in the full stop of an abbreviation."""


def _read(path: Path, language: str | None = None) -> Catalog:
    with path.open("rb") as text:
        return read_po(text, language)


def translated(language: str) -> Iterator[tuple[Entry, str, str]]:
    """Yield what is translated: the entry, and each of its texts beside the English one."""
    for entry in _read(CATALOGUES / language / "LC_MESSAGES" / "messages.po", language):
        if not entry.id or not entry.string:
            continue
        if isinstance(entry.id, str):
            yield entry, entry.id, str(entry.string)
            continue
        for text in entry.string:
            yield entry, entry.id[-1], text


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_asks_for_what_the_english_sentence_does(language: str) -> None:
    for entry, english, text in translated(language):
        assert set(TYPED.findall(text)) == set(TYPED.findall(english)), text
        assert set(NAMED.findall(text)) == set(NAMED.findall(english)), text
        if entry.python_format:
            assert "%" not in PLACE.sub("", text).replace("%%", ""), text


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_ends_as_the_english_sentence_does(language: str) -> None:
    for _, english, text in translated(language):
        for end in ENDS:
            alike = text.endswith(end) is english.endswith(end)
            assert alike or english in ABBREVIATED, text


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_translated_by_guessing(language: str) -> None:
    assert not [entry.id for entry, _, _ in translated(language) if entry.fuzzy]


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_complete_and_has_nothing_more(language: str) -> None:
    english = {entry.id for entry in _read(CATALOGUES / "messages.pot") if entry.id}
    catalogue = _read(CATALOGUES / language / "LC_MESSAGES" / "messages.po", language)
    texts = {entry.id: _forms(entry.string) for entry in catalogue if entry.id}

    assert english - texts.keys() == set(), "make messages, and translate what is new"
    assert texts.keys() - english == set(), "make messages takes these out"
    assert not catalogue.obsolete, "make messages takes these out"
    assert [each for each, forms in texts.items() if not all(forms)] == []


def _forms(text: object) -> tuple[object, ...]:
    """Return a translation's forms: of a number several, else the one."""
    return tuple(text) if isinstance(text, list | tuple) else (text,)
