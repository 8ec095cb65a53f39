"""A rule is changed, from the first word in a draft to the front desk's next answer."""

from __future__ import annotations

from threading import Event

import pytest
from playwright.sync_api import Page, expect

from app.merit import Merit
from app.services import effect, estimating, jobs
from app.services.authority import Role
from app.services.governance import publish_due
from app.services.people import actor_for, ask_role, find_person, grant_role
from tests.browser.conftest import PHONE, Linden, Visit, Visiting

pytestmark = pytest.mark.slow  # the same on every Python


def saved(page: Page) -> int:
    """Return the revision that the page says it is saved as."""
    status = page.get_by_role("status").filter(has_text="Saved as revision")
    return int(status.inner_text().rpartition(" ")[2].rstrip("."))


def written(page: Page, name: str, value: str) -> None:
    """Write into a field and leave it; wait until the page says that it is saved."""
    before = saved(page)
    field = page.locator(f'[name="{name}"]')
    field.fill(value)
    field.press("Tab")
    expect_saved(page, before + 1)


def pressed(page: Page, op: str) -> None:
    """Press one of the buttons that change the form; wait until that is saved."""
    before = saved(page)
    page.locator(f'button[name="op"][value="{op}"]').click()
    expect_saved(page, before + 1)


def chosen(page: Page, name: str, label: str) -> None:
    before = saved(page)
    page.locator(f'select[name="{name}"]').select_option(label=label)
    expect_saved(page, before + 1)


def ticked(page: Page, label: str) -> None:
    before = saved(page)
    page.get_by_label(label).check()
    expect_saved(page, before + 1)


def expect_saved(page: Page, revision: int) -> None:
    expect(page.get_by_text(f"Saved as revision {revision}.")).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def begin(visit: Visit) -> str:
    """Begin a draft from the rules in force; return its address."""
    page = visit.page
    page.get_by_role("link", name="Drafts", exact=True).click()
    page.get_by_role("radio", name="The rules in force").check()
    press(page, "Begin the draft")
    page.wait_for_url("**/drafts/*/")
    return page.url


def work(found: Merit) -> None:
    """Do what waits for a worker to work out who would move."""
    batch = estimating.Working(found.rulebook)
    while lease := jobs.claim(found.database, "test", found.clock(), [effect.KIND]):
        assert (
            jobs.carry_out(found.database, found.clock, lease, batch, Event()).state == "finished"
        )


def make_approver(linden: Linden, address: str) -> None:
    """Give an editor the role of an approver, too, by two administrators."""
    ada, bela = (each[Role.ADMINISTRATOR][0] for each in (linden.accounts, linden.others))
    for administrator, do in (
        (ada, lambda act: ask_role(act, address, Role.APPROVER, "Both, for once.")),
        (bela, lambda act: grant_role(act, address, Role.APPROVER)),
    ):
        with linden.merit.database.reading() as session:
            actor = actor_for(session, find_person(session, administrator))
        with linden.merit.acting(actor) as act:
            do(act)


def changed_rule(page: Page, draft: str) -> None:
    """Raise a limit, and add a nested group of two conditions."""
    page.goto(f"{draft}tiers/silver")
    entry = "tiers[1].entry.all"
    written(page, f"money:{entry}[0].value", "2,000")
    expect(page.get_by_text("Revenue in the last 12 months is at least €2,000.00")).to_be_visible()
    conditions = page.locator(f'[name^="metric:{entry}["]').count()
    group = f"{entry}[{conditions}]"
    pressed(page, f"node {entry} group")
    for place, (figure, operator, value) in enumerate(
        (
            ("Orders in the last 12 months", "is more than", "3"),
            ("Days since the last order", "is at most", "100"),
        )
    ):
        pressed(page, f"node {group}.any condition")
        chosen(page, f"metric:{group}.any[{place}]", figure)
        chosen(page, f"operator:{group}.any[{place}]", operator)
        written(page, f"whole:{group}.any[{place}].value", value)
    expect(page.locator("ul.said").get_by_text("any of:")).to_be_visible()


def added_step(page: Page, draft: str) -> None:
    """Have a benefit withdrawn between the notice and the step down."""
    page.goto(f"{draft}ways-down/deferred")
    steps = "demotion_policies[0].steps"
    pressed(page, f"add {steps} withdraw")
    ticked(page, "Free delivery")
    pressed(page, f"up {steps}[2]")
    written(page, f"whole:{steps}[1].days", "21")
    expect(page.get_by_text("21 days later: without “Free delivery”")).to_be_visible()


def put_right_examples(page: Page, draft: str) -> None:
    """Go from what holds the version up to the examples; take away what fails, keep a proposal."""
    press_link = page.get_by_role("alert").get_by_role("link").first
    press_link.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Silver")
    page.goto(f"{draft}examples/")
    while (wrong := page.locator("section.wrong")).count():
        before = saved(page)
        wrong.first.get_by_role("button", name="Remove").click()
        expect_saved(page, before + 1)
    before = saved(page)
    page.get_by_text("Proposed at each limit").click()
    page.get_by_role("button", name="Keep it").first.click()
    expect_saved(page, before + 1)


def test_a_manager_changes_a_rule_another_approves_it_and_the_front_desk_answers_by_it(
    linden: Linden, visiting: Visiting
) -> None:
    make_approver(linden, linden.accounts[Role.EDITOR][0])
    editor = visiting(linden.accounts[Role.EDITOR])
    page, draft = editor.page, begin(editor)
    number = draft.rstrip("/").rpartition("/")[2]
    version = f"{linden.address}/versions/{number}"
    changed_rule(page, draft)
    added_step(page, draft)

    page.goto(f"{version}/submit")
    expect(page.get_by_role("alert")).to_contain_text("It cannot be submitted yet")
    put_right_examples(page, draft)

    page.goto(f"{version}/effect")
    press(page, "Work it out")
    expect(page.get_by_role("progressbar")).to_be_visible()
    work(linden.merit)
    expect(page.locator("strong", has_text="clients would move")).to_be_visible()
    expect(page.locator("svg").first).to_be_visible()

    page.goto(f"{version}/submit")
    page.get_by_label("What it changes, and why").fill("Silver has grown too easy.")
    press(page, "Submit for review")
    page.wait_for_url(f"{version}/**")
    page.goto(f"{version}/review")
    expect(page.get_by_text("somebody else decides about it")).to_be_visible()
    expect(page.get_by_role("button", name="Decide")).to_have_count(0)
    assert editor.complaints == []

    approved(visiting(linden.accounts[Role.APPROVER], PHONE), version)
    [published] = publish_due(linden.merit.database, linden.clock())
    assert (str(published.number), published.problems) == (number, ())

    answer = page.request.get(
        f"{linden.address}/api/v1/clients/L-1002/standing",
        headers={"Authorization": f"Bearer {linden.key}"},
    ).json()
    assert answer["policy"]["version"] == int(number)
    assert "€2,000.00" in " ".join(each["sentence"] for each in answer["reasons"])


def approved(approver: Visit, version: str) -> None:
    """Read, approve and schedule a version, on a telephone."""
    page = approver.page
    page.goto(f"{version}/review")
    expect(page.get_by_text("at least €2,000.00").first).to_be_visible()
    expect(page.get_by_text("Silver has grown too easy.")).to_be_visible()
    page.get_by_role("radio", name="Approve it").check()
    page.get_by_label("Your comment").fill("Read and tried.")
    press(page, "Decide")
    page.goto(f"{version}/schedule")
    page.get_by_role("radio", name="now").check()
    page.get_by_label("Your comment").fill("At once.")
    press(page, "Schedule it")
    expect(page.get_by_text("It is due now")).to_be_visible()
    assert approver.complaints == []


def test_two_who_change_the_same_see_both_and_nothing_is_lost(
    linden: Linden, visiting: Visiting
) -> None:
    first, second = visiting(linden.accounts[Role.EDITOR]), visiting(linden.others[Role.EDITOR])
    draft = begin(first)
    for each in (first, second):
        each.page.goto(f"{draft}tiers/gold")
    limit, orders = "money:tiers[2].entry.all[0].value", "whole:tiers[2].entry.all[1].value"

    written(first.page, limit, "6100")
    field = second.page.locator(f'[name="{orders}"]')
    field.fill("8")
    field.press("Tab")  # another field of the same tier: both are kept
    expect_saved(second.page, 3)
    expect(second.page.locator(f'[name="{limit}"]')).to_have_value("6100")

    written(second.page, limit, "6200")
    first.page.locator(f'[name="{limit}"]').fill("6300")
    first.page.locator(f'[name="{limit}"]').press("Tab")
    expect(first.page.get_by_text("€6,200.00")).to_be_visible()
    expect(first.page.get_by_text("€6,300.00")).to_be_visible()
    first.page.get_by_role("radio").first.check()
    first.page.locator("main").get_by_role("button").first.click()

    first.page.goto(f"{draft}tiers/gold")
    assert first.page.locator(f'[name="{limit}"]').input_value() in ("6200", "6300")
    expect(first.page.locator(f'[name="{orders}"]')).to_have_value("8")
