"""One of the nine real programmes is written in a browser, field by field, from an empty ladder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from rules.document.strict_json import digest, loads
from tests.admin.writing import Writer, write_all
from tests.app.company import Company, company_in, email
from tests.app.shelf import version
from tests.browser.conftest import DESK, Visit, served_at
from tests.programmes.test_programmes import HERE

pytestmark = pytest.mark.slow  # the same on every Python

PROGRAMME = "airbnb_superhost"


@dataclass
class Typist(Writer):
    """An editor at a browser: types into fields, leaves them, presses buttons."""

    page: Page = None  # type: ignore[assignment]  # always given
    address: str = ""
    company: Company = None  # type: ignore[assignment]  # always given

    def open(self, part: str, ref: str | None = None) -> Writer:
        self.page.goto(f"{self.address}/drafts/{self.number}/{part}/{ref or ''}")
        return self._look()

    def fill(self, fields: dict[str, list[str]], op: str = "", **new: str) -> Writer:
        for name, values in [*fields.items()][:1]:  # it may make others of the next
            self._type(name, values)
        if op:
            self._press(op, new)
        return self._look()

    def _look(self) -> Writer:
        self.url = self.page.url
        return self._read(self.page.content())

    def _type(self, name: str, values: list[str]) -> None:
        before = self._revision()
        field = self.page.locator(f'[name="{name}"]:not([type=hidden])')
        tag = field.first.evaluate("each => each.tagName + (each.type || '')")
        if tag == "INPUTcheckbox":
            for value in values:
                if value:
                    self.page.locator(f'[name="{name}"][value="{value}"]').check()
                    self._wait(before)
                    before = self._revision()
            return
        if tag.startswith("SELECT"):
            assert values[0] in self.form.options[name], (name, values, self.form.options[name])
            field.select_option(values[0])
        else:
            field.focus()
            self.page.keyboard.press("ControlOrMeta+a")
            self.page.keyboard.press("Delete")
            self.page.keyboard.type(values[0])
            self.page.keyboard.press("Tab")
        self._wait(before)

    def _press(self, op: str, new: dict[str, str]) -> None:
        before, url = self._revision(), self.page.url
        if new:
            self.page.locator(f'[name="new:{op}"]').fill(new["new"])
            key = self.page.locator(f'[name="key:{op}"]')
            key.locator("xpath=ancestor::details/summary").click()
            key.fill(new["key"])
        self.page.locator(f'button[value="{op}"]').click()
        if new and "[" not in op:
            self.page.wait_for_url(lambda found: found != url)
        else:
            self._wait(before)

    def _revision(self) -> str:
        return self.page.locator("input[name=revision]").get_attribute("value") or ""

    def _wait(self, before: str) -> None:
        expect(self.page.locator("input[name=revision]")).not_to_have_value(before)

    @property
    def document(self) -> Any:
        return version(self.company, self.number).document


def test_a_real_programme_is_written_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    target: Any = loads((HERE / f"{PROGRAMME}.json").read_bytes())
    place = {"currency": target["currency"], "time_zone": target["time_zone"]}
    with (
        company_in("sqlite", tmp_path, demo=True, **place) as company,
        served_at(company.merit) as address,
    ):
        context = browser.new_context(locale="en")
        context.set_default_timeout(15_000)
        visit = Visit(context.new_page(), address)
        visit.listen()
        visit.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        visit.sign_in((email("edith"), company.passwords["edith"]))
        visit.page.goto(f"{address}/drafts/")
        visit.page.get_by_label("An empty ladder").check()
        visit.page.get_by_role("button", name="Begin the draft").click()
        visit.page.wait_for_url(re.compile(r"/drafts/1/$"))
        typist = Typist(None, 1, page=visit.page, address=address, company=company)  # type: ignore[arg-type]  # a browser is in its place

        write_all(typist, target)

        assert typist.document == target
        assert digest(typist.document) == digest(target)
        assert visit.complaints == []
        context.close()
