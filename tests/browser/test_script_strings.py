"""Forty strings that would be scripts, typed into every text field of every form: none runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.sync_api import APIResponse

from app.services.authority import Role
from tests.browser.conftest import Linden, Visit, Visiting
from tests.browser.test_every_page import pages_from, shape

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_RUN = "window.ran('{n}')"
STRINGS = [
    each.replace("RUN", _RUN)
    for each in (
        *(
            "<script>RUN</script>",
            "</title><script>RUN</script>",
            "</textarea><script>RUN</script>",
        ),
        *('"><script>RUN</script>', "'><script>RUN</script>", "--><script>RUN</script>"),
        *("<ScRiPt>RUN</sCrIpT>", "<script/x>RUN</script>", "<script\n>RUN</script\n>"),
        *("<scr<script>ipt>RUN</scr</script>ipt>", "<<script>RUN//<</script>"),
        *('<img src=x onerror="RUN">', "<img src=x onerror=RUN>", '"><img src=x onerror="RUN">'),
        *('\'><img src=x onerror="RUN">', '<svg onload="RUN">', '"><svg/onload="RUN">'),
        *("<svg><script>RUN</script></svg>", '<math><mi xlink:href="javascript:RUN">x</mi></math>'),
        *('" onfocus="RUN" autofocus="', "' onfocus='RUN' autofocus='", '" onmouseover="RUN'),
        *('x" autofocus onfocus="RUN" x="', '" style="background:url(javascript:RUN)'),
        *(
            "javascript:RUN",
            "JaVaScRiPt:RUN",
            "\tjavascript:RUN",
            "data:text/html,<script>RUN</script>",
        ),
        *('<a href="javascript:RUN">x</a>', '<iframe src="javascript:RUN"></iframe>'),
        *(
            '<iframe srcdoc="<script>parent.RUN</script>"></iframe>',
            '<object data="javascript:RUN">',
        ),
        *('<body onload="RUN">', '<details open ontoggle="RUN">', '<video><source onerror="RUN">'),
        *('<input autofocus onfocus="RUN">', "{{ RUN }}", "${RUN}", "%(x)s<script>RUN</script>"),
        '<form><button formaction="javascript:RUN">x</button></form>',
    )
]
"""``window.ran`` is there on every page: it notes whatever runs."""

_TEXT = {"", "text", "email", "password", "search", "url", "tel"}


@dataclass(slots=True)
class Form:
    """A form as a page has it: what is sent with it, and in which fields people type."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)


class Forms(HTMLParser):
    """The forms of a page."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._url = url
        self._form: Form | None = None
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self._url, given.get("action") or self._url)
            self._form = Form(action, given.get("method", "get").lower())
            self.found.append(self._form)
        elif self._form is not None and (name := given.get("name")):
            self._note(self._form, tag, name, given)
        elif tag == "option" and self._form is not None and self._select:
            self._form.values.setdefault(self._select, given.get("value", ""))

    def _note(self, form: Form, tag: str, name: str, given: dict[str, str]) -> None:
        kind = given.get("type", "")
        if tag == "textarea" or (tag == "input" and kind in _TEXT):
            form.typed.append(name)
            form.values[name] = given.get("value", "")
        elif tag == "input" and (kind == "hidden" or "checked" in given):
            form.values[name] = given.get("value", "on")
        elif tag == "select":
            self._select = name

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


def forms_of(visit: Visit) -> Iterator[Form]:
    """Yield one form of each shape that somebody finds, with something to type in."""
    known = set()
    for url, _ in pages_from(visit, f"{visit.address}/"):
        for form in Forms(url, visit.page.content()).found:
            named = tuple(sorted({re.sub(r"\d+", "0", each) for each in form.typed}))
            if form.typed and (shape(form.action), named) not in known:
                known.add((shape(form.action), named))
                yield form


def sent(visit: Visit, form: Form, values: dict[str, Any]) -> APIResponse:
    if form.method == "get":
        return visit.page.request.get(form.action, params=values)
    return visit.page.request.post(form.action, form=values, headers={"Origin": visit.address})


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.EDITOR, Role.APPROVER, Role.MANAGER])
def test_nothing_that_was_typed_is_run(role: Role, linden: Linden, visiting: Visiting) -> None:
    visit, ran = visiting(linden.accounts[role]), list[str]()
    unprotected = visit.page.context.new_page()  # no policy says here what may run
    for page in (visit.page, unprotected):
        page.expose_function("ran", lambda said: ran.append(said))  # noqa: PLW0108 - a function
        page.on("dialog", lambda dialog: dialog.dismiss())
    fields = tried = failed = 0
    for form in list(forms_of(visit)):
        for place, name in enumerate(dict.fromkeys(re.sub(r"\d+", "0", e) for e in form.typed)):
            fields += 1
            typed = next(each for each in form.typed if re.sub(r"\d+", "0", each) == name)
            for number, string in enumerate(STRINGS):
                tried += 1
                text = string.replace("{n}", f"{place}.{number}")
                answer = sent(visit, form, form.values | {typed: text})
                failed += answer.status >= 500
                if text in (body := answer.text()):  # it stands there as it was typed
                    unprotected.set_content(body)
    for _ in pages_from(visit, f"{linden.address}/"):
        pass  # what was stored is shown again

    print(f"{role}: {tried} strings in {fields} fields, {len(ran)} run")  # noqa: T201 - pytest -s
    assert len(STRINGS) >= 40
    assert fields
    assert ran == []
    assert failed == 0
    unprotected.set_content("<script>window.ran('the control')</script>")
    assert ran == ["the control"]
