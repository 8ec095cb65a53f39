"""The service under test, and companies to put it over: in SQLite, and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rules.document.strict_json import loads
from tests.app.asking import EXAMPLE, TYPES, Ask, answered, post, prepared, served, service
from tests.app.company import Company, branch, close, company_in
from tests.databases import EACH_KIND, Place, empty


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The service as it is run, with examples/wholesale.json, on the first of July 2026."""
    with company_in("sqlite", tmp_path_factory.mktemp("app")) as company:
        company.publish(loads(EXAMPLE.read_bytes()))  # type: ignore[arg-type]  # an object
        yield served(company)


@pytest.fixture(scope="session")
def types() -> Flask:
    """The service with a policy that has a metric of every type."""
    return service(prepared(TYPES))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def ask(app: Flask) -> Ask:
    return lambda question: answered(post(app, question))


# -- companies of one's own --------------------------------------------------------------------


@pytest.fixture(params=EACH_KIND)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A database without any table: each test that takes it runs on each kind of database."""
    with empty(request.param, tmp_path) as found:
        yield found


@pytest.fixture(scope="session", params=EACH_KIND)
def founding(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Company]:
    """A company with its cast and no policy, on each kind of database; only ever copied."""
    with company_in(request.param, tmp_path_factory.mktemp("founding")) as company:
        close(company)
        yield company


@pytest.fixture(scope="session")
def running(founding: Company, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company with examples/wholesale.json in force; only ever copied."""
    with branch(founding, tmp_path_factory.mktemp("running")) as company:
        company.publish(loads(EXAMPLE.read_bytes()))  # type: ignore[arg-type]  # an object
        close(company)
        yield company


@pytest.fixture
def new_company(founding: Company, tmp_path: Path) -> Iterator[Company]:
    """A company of the test's own, on each kind of database, without a policy."""
    with branch(founding, tmp_path) as company:
        yield company


@pytest.fixture
def company(running: Company, tmp_path: Path) -> Iterator[Company]:
    """A company of the test's own, on each kind of database, with the example in force."""
    with branch(running, tmp_path) as company:
        yield company
