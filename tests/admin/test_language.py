"""Pages speak the reader's language: all of them, and in everything that they say."""

from __future__ import annotations

from html import unescape

import pytest
from babel.messages.pofile import read_po

from app.words import CATALOGUES
from tests.admin.conftest import SignedIn
from tests.admin.visiting import Visitor

WANTED = {"Accept-Language": "uk"}


def english() -> list[str]:
    """Return whole English sentences: those that nothing is put into."""
    with (CATALOGUES / "messages.pot").open("rb") as text:
        entries = [each.id for each in read_po(text) if isinstance(each.id, str)]
    return [each for each in entries if each.count(" ") >= 2 and "%" not in each]


@pytest.mark.parametrize(
    ("name", "urls"),
    [
        ("edith", ("/", "/account/", "/drafts/", "/versions/", "/versions/1/")),
        ("paul", ("/", "/clients/", "/measures/", "/versions/1/", "/drafts/")),
        ("anna", ("/", "/people/", "/records/", "/account/")),
    ],
)
def test_pages_are_all_in_the_language_that_is_wanted(
    signed_in: SignedIn, name: str, urls: tuple[str, ...]
) -> None:
    visitor = signed_in(name)

    for url in urls:
        answer = visitor.get(url, **WANTED)
        page = unescape(answer.text)

        assert answer.headers["Content-Language"] == "uk"
        assert '<html lang="uk"' in page
        assert [each for each in english() if f">{each}<" in page] == [], url


def test_a_language_that_is_chosen_is_kept(stranger: Visitor) -> None:
    assert "<h1>Увійти</h1>" in stranger.get("/sign-in?language=uk").text
    assert "<h1>Увійти</h1>" in stranger.get("/sign-in").text
    assert "<h1>Sign in</h1>" in stranger.get("/sign-in?language=en", **WANTED).text
    assert "<h1>Sign in</h1>" in stranger.get("/sign-in", **WANTED).text
