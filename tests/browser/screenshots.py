"""Pictures of the main pages for docs/pages.md: run as ``make screenshots``.

Taken of a made-up company on a fixed day, so that they change only where the pages do.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

from playwright.sync_api import Browser, sync_playwright

from app.cli.installation import migrate
from app.config import Config
from app.merit import Merit
from app.services import effect, estimating, jobs
from app.services.authority import Role
from app.services.demo.filling import SEED, Filling
from tests.app.company import SetClock
from tests.browser.conftest import ARGUMENTS, CHROMIUM, DESK, PHONE, Visit, served_at

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"

PICTURES = (
    ("home", Role.APPROVER, "/", DESK),
    ("editor", Role.EDITOR, "/drafts/5/tiers/gold", DESK),
    ("steps", Role.EDITOR, "/drafts/5/ways-down/stepwise", DESK),
    ("review", Role.APPROVER, "/versions/4/review", DESK),
    ("effect", Role.APPROVER, "/versions/4/effect", DESK),
    ("try", Role.EDITOR, "/versions/4/try?client=L-1001", DESK),
    ("client", Role.MANAGER, "/clients/L-1002", DESK),
    ("history", Role.AUDITOR, "/history/", DESK),
    ("client-phone", Role.MANAGER, "/clients/L-1002", PHONE),
)


def main() -> int:
    """Take them all."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as name, sync_playwright() as playwright:
        folder, clock = Path(name), SetClock()
        found = Merit(Config(f"sqlite:///{folder / 'merit.db'}", None, folder / "secret"), clock)
        found.secret.ensure()
        migrate(found)
        made = Filling(found, SEED, 200).fill(lambda _: None)
        accounts = {each.role: (each.email, each.password) for each in reversed(made.accounts)}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        with served_at(found) as address:
            worked_out(found, visit(browser, address, DESK), accounts[Role.APPROVER])
            for picture, role, url, size in PICTURES:
                taken = visit(browser, address, size)
                taken.sign_in(accounts[role])
                taken.page.goto(address + url)
                taken.page.screenshot(path=FOLDER / f"{picture}.png")
                taken.page.context.close()
        browser.close()
    return 0


def visit(browser: Browser, address: str, size: tuple[int, int]) -> Visit:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en")
    return Visit(context.new_page(), address)


def worked_out(found: Merit, approver: Visit, account: tuple[str, str]) -> None:
    """Have it worked out who would move by the version that is in review."""
    approver.sign_in(account)
    approver.page.goto(f"{approver.address}/versions/4/effect")
    approver.page.get_by_role("button", name="Work it out").click()
    batch = estimating.Working(found.rulebook)
    while lease := jobs.claim(found.database, "pictures", found.clock(), [effect.KIND]):
        jobs.carry_out(found.database, found.clock, lease, batch, Event())
    approver.page.context.close()


if __name__ == "__main__":
    sys.exit(main())
