"""The service under test: with the example's policy, with one of all types, and what to ask it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Config
from tests.app.asking import EXAMPLE, NOW, TYPES, Ask, Client, answered, post, prepared, service


@pytest.fixture(scope="session")
def app() -> Flask:
    """The service as it is run, with examples/wholesale.json, on the first of July 2026."""
    app = create_app(Config(EXAMPLE), lambda: NOW)
    app.test_client_class = Client
    return app


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
