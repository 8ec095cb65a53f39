"""A manager reads a client, sends them a letter and asks for a hold; an approver grants it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.services.authority import Role
from tests.browser.conftest import PHONE, Linden, Visiting

pytestmark = pytest.mark.slow  # the same on every Python


def pressed(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def headed(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_a_manager_sends_a_letter_and_another_grants_the_hold_asked_for(
    linden: Linden, visiting: Visiting
) -> None:
    manager = visiting(linden.accounts[Role.MANAGER])
    page = manager.page

    page.get_by_role("link", name="Letters to clients wait").click()
    headed(page, "Letters that wait to be sent")
    waiting = page.locator("tbody tr").count()
    reference = page.locator("tbody tr").first.locator("a").first.inner_text()
    page.locator("tbody tr").first.locator("a").nth(1).click()
    pressed(page, "Mark as sent")
    expect(page.locator("#problems")).to_be_focused()
    page.get_by_label("by post").check()
    pressed(page, "Mark as sent")
    headed(page, "Was this letter sent?")
    pressed(page, "Mark as sent")
    expect(page.get_by_text("The letter is marked as sent.")).to_be_visible()
    assert page.locator("tbody tr").count() == waiting - 1

    page.get_by_role("link", name="Clients", exact=True).click()
    page.get_by_label("Reference or name").fill(reference)
    pressed(page, "Search")
    page.get_by_role("link", name=reference).click()
    page.get_by_role("link", name="Ask for a hold or an override").click()
    page.get_by_label("A hold").check()
    page.get_by_label("Last day").fill("2026-07-31")
    pressed(page, "Go on")
    expect(page.locator("#problems")).to_contain_text("Is missing")
    page.get_by_label("Why?").fill("Their warehouse was flooded.")
    pressed(page, "Go on")
    headed(page, "Check what you ask for")
    pressed(page, "Ask for it")
    expect(page.get_by_text("waits for a decision")).to_be_visible()
    assert page.get_by_role("button", name="Grant it").count() == 0
    assert len(manager.complaints) == 2  # the browser notes each answer that is a 422
    assert all("422" in each for each in manager.complaints)

    approver = visiting(linden.accounts[Role.APPROVER], PHONE)
    page = approver.page
    page.get_by_role("link", name=f"for client {reference}").click()
    page.get_by_label("Why?").fill("It was on the news.")
    pressed(page, "Grant it")
    headed(page, "Do you grant this?")
    pressed(page, "Grant it")
    expect(page.get_by_text("It is granted.")).to_be_visible()
    page.get_by_role("link", name=f"Client {reference}").click()
    expect(page.get_by_text("on hold").first).to_be_visible()
    assert approver.complaints == []
