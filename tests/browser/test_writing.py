"""Drafts written in a browser: saved as one goes, by keyboard, with nothing typed lost."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from admin.editor.pages import PAGES
from app.services.authority import Role
from app.services.governance import version_named
from tests.browser.conftest import AXE, DESK, PHONE, Linden, Visit, Visiting, fits
from tests.browser.test_every_page import serious

pytestmark = pytest.mark.slow  # the same on every Python


def begun(visit: Visit) -> int:
    """Begin a draft of the rules in force; return its number."""
    visit.page.goto(f"{visit.address}/drafts/")
    visit.page.get_by_role("button", name="Begin the draft").click()
    visit.page.wait_for_url(re.compile(r"/drafts/\d+/$"))
    return int(visit.page.url.rstrip("/").rpartition("/")[2])


def document(linden: Linden, number: int) -> Any:
    with linden.merit.database.reading() as session:
        return version_named(session, number).document


def saving(page: Page, change: Callable[[], object]) -> None:
    """Change something and wait until the page has been made anew."""
    revision = page.locator("input[name=revision]").get_attribute("value")
    change()
    expect(page.locator("input[name=revision]")).not_to_have_value(revision or "")


def late(route: Route) -> None:
    time.sleep(0.4)
    route.continue_()


def test_a_limit_is_saved_as_soon_as_one_leaves_its_field_and_the_focus_stays(
    linden: Linden, visiting: Visiting
) -> None:
    visit = visiting(linden.accounts[Role.EDITOR])
    number = begun(visit)
    page = visit.page
    page.goto(f"{visit.address}/drafts/{number}/tiers/gold")
    limit = page.get_by_label("With what").first
    limit.fill("6543")
    saving(page, lambda: limit.press("Tab"))

    assert "6,543.00" in page.locator("#body").inner_text()
    assert "6543" in str(document(linden, number)["tiers"])
    focused = page.evaluate("document.activeElement.id")
    assert focused.startswith("f-")
    assert visit.complaints == []
    assert visit.went_elsewhere == []


def test_what_is_typed_while_a_page_is_saved_is_kept_and_saved_next(
    linden: Linden, visiting: Visiting
) -> None:
    visit = visiting(linden.accounts[Role.EDITOR])
    number = begun(visit)
    page = visit.page
    page.goto(f"{visit.address}/drafts/{number}/tiers/gold")
    page.route("**/tiers/gold", late)
    name = page.locator("#body input[lang=en]").first
    limit = page.get_by_label("With what").first
    limit.fill("7654")
    name.focus()
    page.keyboard.press("End")
    page.keyboard.type(" one")
    expect(page.locator("input[name=revision]")).not_to_have_value("1")
    assert name.input_value().endswith(" one")
    page.unroute("**/tiers/gold")
    limit.focus()
    expect(page.locator("h1")).to_have_text(re.compile(r" one$"))

    tier = next(each for each in document(linden, number)["tiers"] if each["key"] == "gold")
    assert tier["name"]["en"].endswith(" one")
    assert "765400" in str(tier["entry"])


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_every_page_of_a_draft_fits_and_is_open_to_everybody(
    linden: Linden, visiting: Visiting, size: tuple[int, int]
) -> None:
    visit = visiting(linden.accounts[Role.EDITOR], size)
    number = begun(visit)
    page, wrong = visit.page, []
    urls = [f"{visit.address}/drafts/", f"{visit.address}/drafts/{number}/"]
    for part in PAGES:
        url = f"{visit.address}/drafts/{number}/{part}/"
        page.goto(url)
        links = page.locator(f"main a[href*='/{part}/']").evaluate_all(
            "all => all.map(e => e.href)"
        )
        urls += [url, *links[-1:]]
    for url in urls:
        page.goto(url)
        if not fits(page):
            wrong.append((url, "is wider than the screen"))
        wrong += [(url, each) for each in serious(page)]
    assert AXE.exists()
    assert wrong == []
    assert visit.complaints == []


def test_a_nested_group_a_step_and_an_example_are_written_by_keyboard_alone(
    linden: Linden, visiting: Visiting
) -> None:
    visit = visiting(linden.accounts[Role.EDITOR])
    number = begun(visit)
    page, base = visit.page, f"{visit.address}/drafts/{number}"

    def press(name: str) -> None:
        spaced = re.compile(name.replace(":", r"\s*:"))
        button = page.get_by_role("button", name=spaced).first
        button.focus()
        saving(page, lambda: page.keyboard.press("Enter"))

    page.goto(f"{base}/tiers/gold")
    press("Add a group: to reach it")
    press("Add a condition: to reach it")
    [group] = [
        each for each in document(linden, number)["tiers"][2]["entry"]["all"] if "any" in each
    ]
    assert len(group["any"]) == 1
    value = page.locator("[name$='.any[0].value']")
    value.focus()
    page.keyboard.type("100")
    saving(page, lambda: page.keyboard.press("Tab"))

    page.goto(f"{base}/ways-down/")
    page.locator("main a[href*='/ways-down/']").first.press("Enter")
    page.wait_for_url(re.compile(r"/ways-down/\w+$"))
    press("Add a step: withdraw benefits")
    press("Move up: Step 3")
    page.get_by_label("Days", exact=True).nth(1).fill("21")
    saving(page, lambda: page.keyboard.press("Tab"))
    box = page.locator("fieldset input[type=checkbox]").first
    box.focus()
    saving(page, lambda: page.keyboard.press("Space"))
    step = document(linden, number)["demotion_policies"][0]["steps"][1]
    assert (step["kind"], step["days"], len(step["benefits"])) == ("withdraw", 21, 1)
    assert "21 days later: without" in page.locator("#body").inner_text()

    page.goto(f"{base}/examples/")
    before = len(document(linden, number)["examples"])
    page.get_by_text("Proposed at each limit").press("Enter")
    for more in (1, 2):
        press("Keep it")
        assert len(document(linden, number)["examples"]) == before + more
    assert visit.complaints == []


def test_two_editors_collide_and_nothing_is_lost(linden: Linden, visiting: Visiting) -> None:
    first, second = (visiting(each[Role.EDITOR]) for each in (linden.accounts, linden.others))
    number = begun(first)
    url = f"{first.address}/drafts/{number}/tiers/gold"
    for each in (first, second):
        each.page.goto(url)
    limits = [each.page.get_by_label("With what").first for each in (first, second)]
    limits[0].fill("6000")
    saving(first.page, lambda: limits[0].press("Tab"))

    limits[1].fill("7000")
    limits[1].press("Tab")

    heading = second.page.get_by_role("heading", name="Somebody else changed the same")
    expect(heading).to_be_visible()
    shown = second.page.locator("#body").inner_text()
    assert "6,000.00" in shown
    assert "7,000.00" in shown
    assert "600000" in str(document(linden, number)["tiers"])
    second.page.get_by_label("What you want").check()
    second.page.get_by_role("button", name="Save what is chosen").click()
    expect(second.page.get_by_role("heading", name="Gold", exact=True)).to_be_visible()
    assert "700000" in str(document(linden, number)["tiers"])

    second.page.get_by_role("button", name="Take back my last change").click()
    second.page.wait_for_load_state()
    assert "600000" in str(document(linden, number)["tiers"])
    assert first.complaints == second.complaints == []
