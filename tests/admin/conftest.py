"""Pages under test: a company whose people sign in by password alone, with the example in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from admin import create_pages
from rules.document.strict_json import loads
from tests.admin.visiting import Visitor
from tests.app.asking import EXAMPLE
from tests.app.company import Company, branch, close, company_in

SignedIn = Callable[[str], Visitor]


@pytest.fixture(scope="session")
def staffed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A demo, so that nobody needs an authenticator; only ever copied."""
    with company_in("sqlite", tmp_path_factory.mktemp("staffed"), demo=True) as company:
        company.publish(loads(EXAMPLE.read_bytes()))  # type: ignore[arg-type]  # an object
        close(company)
        yield company


@pytest.fixture
def shop(staffed: Company, tmp_path: Path) -> Iterator[Company]:
    """The same, of the test's own."""
    with branch(staffed, tmp_path) as company:
        yield company


@pytest.fixture
def pages(shop: Company) -> Flask:
    return create_pages(shop.merit)


@pytest.fixture
def stranger(pages: Flask, shop: Company) -> Visitor:
    """Somebody who has not signed in."""
    return Visitor(pages.test_client(), shop)


@pytest.fixture
def signed_in(pages: Flask, shop: Company) -> SignedIn:
    """Give a browser in which one of the cast has signed in."""
    return lambda name: Visitor(pages.test_client(), shop).sign_in(name)
