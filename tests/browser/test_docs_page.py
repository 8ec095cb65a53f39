"""The page of the API's description, in a real browser."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Thread

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect
from werkzeug.serving import make_server

from rules.document.strict_json import loads
from tests.app.asking import EVALUATIONS, EXAMPLE, served
from tests.app.company import Company, company_in
from tests.browser.conftest import fits

pytestmark = pytest.mark.slow  # the same on every Python


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company with the example in force."""
    with company_in("sqlite", tmp_path_factory.mktemp("browser")) as company:
        company.publish(loads(EXAMPLE.read_bytes()))  # type: ignore[arg-type]  # an object
        yield company


@pytest.fixture(scope="module")
def address(company: Company) -> Iterator[str]:
    """Serve the company on a free port; yield where."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = served(company)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass(slots=True)
class Visit:
    """The page as one reader sees it, and what the browser had to say and to fetch."""

    page: Page
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        def heard(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                self.complaints.append(message.text)

        self.page.on("console", heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        self.page.on("request", lambda request: self.requested.append(request.url))

    def authorise(self, key: str) -> None:
        """Give the page a key, as a reader does who wants to try something."""
        self.page.get_by_role("button", name="Authorize", exact=True).click()
        form = self.page.locator(".auth-container")
        form.locator("input").fill(key)
        form.get_by_role("button", name="Apply credentials").click()
        form.get_by_role("button", name="Close").click()

    def operation(self, path: str) -> Locator:
        return self.page.locator(".opblock").filter(has=self.page.locator(f'[data-path="{path}"]'))


@pytest.fixture
def visit(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open the page on a screen of the size that the test asks for."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    visit = Visit(context.new_page())
    visit.listen()
    visit.page.goto(f"{address}/api/docs")
    expect(visit.page.locator(".opblock").first).to_be_visible()
    yield visit
    assert visit.complaints == []
    assert [each for each in visit.requested if not each.startswith((address, "data:"))] == []
    context.close()


on_a_desk = pytest.mark.parametrize("visit", [(1280, 900)], ids=["desk"], indirect=True)
on_a_phone = pytest.mark.parametrize("visit", [(390, 844)], ids=["phone"], indirect=True)
on_both = pytest.mark.parametrize(
    "visit", [(1280, 900), (390, 844)], ids=["desk", "phone"], indirect=True
)


@on_both
def test_the_page_lists_every_operation(visit: Visit, address: str) -> None:
    described = visit.page.request.get(f"{address}/api/openapi.json").json()["paths"]

    listed = [each.get_attribute("data-path") for each in visit.page.locator("[data-path]").all()]

    assert visit.page.url == f"{address}/api/docs"
    assert visit.page.title() == "Merit API"
    assert sorted(listed, key=str) == sorted(described)
    assert fits(visit.page)


@on_both
def test_the_example_given_can_be_tried_with_a_key_and_is_answered(
    visit: Visit, company: Company
) -> None:
    visit.authorise(company.key)
    operation = visit.operation(EVALUATIONS)
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    assert json.loads(operation.locator("textarea").input_value())["client"] == "C-17"

    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").nth(1)).to_have_text("200")
    expect(answer).to_contain_text('"The tier is Silver."')
    assert fits(visit.page)


@on_a_desk
def test_a_question_that_does_not_fit_is_told_why(visit: Visit, company: Company) -> None:
    """The browser itself reports the refusal on its console; that alone is no complaint."""
    visit.authorise(company.key)
    operation = visit.operation(EVALUATIONS)
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.locator("textarea").fill('{"facts": {"orders": "many"}}')

    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").nth(1)).to_contain_text("422")
    expect(answer).to_contain_text("facts.orders")
    visit.complaints.remove(
        "Failed to load resource: the server responded with a status of 422 (UNPROCESSABLE ENTITY)"
    )


@on_a_desk
def test_without_a_key_it_is_told_what_is_needed(visit: Visit) -> None:
    operation = visit.operation(EVALUATIONS)
    operation.locator(".opblock-summary").click()
    operation.get_by_role("button", name="Try it out").click()

    operation.get_by_role("button", name="Execute").click()

    answer = operation.locator(".live-responses-table")
    expect(answer.locator(".response-col_status").nth(1)).to_contain_text("401")
    expect(answer).to_contain_text("Authorization: Bearer merit_")
    visit.complaints.remove(
        "Failed to load resource: the server responded with a status of 401 (UNAUTHORIZED)"
    )


@on_a_phone
def test_every_operation_can_be_opened_and_read(visit: Visit) -> None:
    for summary in visit.page.locator(".opblock-summary-control").all():
        summary.click()

    expect(visit.page.locator(".opblock.is-open")).to_have_count(
        visit.page.locator(".opblock").count()
    )
    assert fits(visit.page)
