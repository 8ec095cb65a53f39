"""Every page that a role can reach by links, on a desk and on a telephone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from app.services.authority import Role
from tests.browser.conftest import AXE, DESK, PHONE, Linden, Visit, Visiting, fits

pytestmark = pytest.mark.slow  # the same on every Python

_OF_EACH = 2
"""How many pages of the same shape are looked at: two clients, two versions."""

_DOWNLOADS = re.compile(r"/export|\.csv|\.json|/api/")

_SHAPE = r"""() => ({
    language: document.documentElement.lang,
    headings: document.querySelectorAll("h1").length,
    mains: document.querySelectorAll("main").length,
    inline: [...document.querySelectorAll("*")].filter(each =>
        [...each.attributes].some(({name}) => name.startsWith("on") || name === "style")
        || ["STYLE"].includes(each.tagName)
        || each.tagName === "SCRIPT" && !each.src).length,
    links: [...document.querySelectorAll("a[href]")].map(each => each.href),
})"""

_SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(({impact}) => ["serious", "critical"].includes(impact))
    .map(({id, nodes}) => `${id}: ${nodes.map(each => each.html).slice(0, 3).join(" | ")}`)"""


def shape(url: str) -> str:
    """Return an address without what names one of many: numbers, references, digests, queries."""
    path = urlsplit(url).path
    return re.sub(r"/(?:[A-Z]+-?\d+|\d[\w.-]*|[0-9a-f]{16,})(?=/|$)", "/…", path)


def pages_from(visit: Visit, start: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Open every page that links lead to, some of each shape; yield each with what it is like."""
    waiting, known, seen = [start], {start}, Counter[str]()
    while waiting:
        url = waiting.pop(0)
        seen[shape(url)] += 1
        if seen[shape(url)] > _OF_EACH:
            continue
        answer = visit.page.goto(url)
        assert answer is not None
        assert answer.status == 200, (url, answer.status)
        found = visit.page.evaluate(_SHAPE)
        yield url, found
        for each in found["links"]:
            link = each.partition("#")[0]
            inside = link.startswith(f"{visit.address}/") and "language=" not in link
            if inside and link not in known and not _DOWNLOADS.search(link):
                known.add(link)
                waiting.append(link)


def serious(page: Page) -> list[str]:
    """Return what axe-core finds that is serious."""
    page.evaluate(AXE.read_text())
    found: list[str] = page.evaluate(_SERIOUS)
    return found


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("role", Role)
def test_every_page_is_whole_quiet_narrow_enough_and_open_to_everybody(
    role: Role, size: tuple[int, int], linden: Linden, visiting: Visiting
) -> None:
    visit = visiting(linden.accounts[role], size)

    wrong: list[object] = []
    looked_at: set[str] = set()
    for url, found in pages_from(visit, f"{linden.address}/"):
        plain = (found["language"], found["headings"], found["mains"], found["inline"])
        if plain != ("en", 1, 1, 0):
            wrong.append((url, plain))
        if not fits(visit.page):
            wrong.append((url, "is wider than the screen"))
        if shape(url) not in looked_at:
            looked_at.add(shape(url))
            wrong += [(url, each) for each in serious(visit.page)]

    assert wrong == []
    assert visit.complaints == []
    assert visit.went_elsewhere == []
    assert len(looked_at) > 2
