"""A browser, and a made-up company served to it as a server would, pages and API together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from admin import create_pages
from app import create_app
from app.cli.installation import migrate
from app.config import Config
from app.merit import Merit
from app.services.authority import Role
from app.services.demo.filling import Filling
from tests.app.company import SetClock
from wsgi import Together

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESK, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass(frozen=True, slots=True)
class Linden:
    """The company of the demo, and where it is served; one account of each role."""

    merit: Merit
    clock: SetClock
    address: str
    accounts: dict[Role, tuple[str, str]]
    others: dict[Role, tuple[str, str]]
    key: str


@contextmanager
def served_at(found: Merit) -> Iterator[str]:
    """Serve pages and API of an installation on a free port; yield where."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    api = create_app(found.config, found.clock)
    server = make_server("127.0.0.1", 0, Together(api, create_pages(found)), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        api.extensions["merit"].database.close()
        found.database.close()


@pytest.fixture(scope="module")
def linden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linden]:
    """The demo's two years with forty clients, up to an afternoon in July."""
    folder, clock = tmp_path_factory.mktemp("linden"), SetClock()
    found = Merit(Config(f"sqlite:///{folder / 'merit.db'}", None, folder / "secret"), clock)
    found.secret.ensure()
    migrate(found)
    made = Filling(found, seed=7, clients=40).fill(lambda _: None)
    first: dict[Role, tuple[str, str]] = {}
    second: dict[Role, tuple[str, str]] = {}
    for each in made.accounts:
        (second if each.role in first else first)[each.role] = (each.email, each.password)
    with served_at(found) as address:
        yield Linden(found, clock, address, first, second, made.integration_key)


@dataclass(slots=True)
class Visit:
    """One browser of one person, what it had to say, and what it fetched."""

    page: Page
    address: str
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        def heard(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.complaints.append(message.text)

        self.page.on("console", heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requested.append(request.url))

    def sign_in(self, account: tuple[str, str]) -> None:
        self.page.goto(f"{self.address}/sign-in")
        self.page.get_by_label("E-mail address").fill(account[0])
        self.page.get_by_label("Password").fill(account[1])
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.address}/")

    @property
    def went_elsewhere(self) -> list[str]:
        return [each for each in self.requested if not each.startswith((self.address, "data:"))]


Visiting = Callable[..., Visit]


@pytest.fixture
def visiting(browser: Browser, linden: Linden) -> Iterator[Visiting]:
    """Open a browser of its own for somebody of a role, at a screen of some size."""
    contexts = []

    def visit(
        account: tuple[str, str] | None = None, size: tuple[int, int] = DESK, language: str = "en"
    ) -> Visit:
        width, height = size
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale=language, accept_downloads=True
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        visit = Visit(context.new_page(), linden.address)
        visit.listen()
        if account is not None:
            visit.sign_in(account)
        return visit

    yield visit
    for context in contexts:
        context.close()


def fits(page: Page) -> bool:
    """Tell whether the page is no wider than the screen."""
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
    )


AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
