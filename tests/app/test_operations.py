"""What those who run the service look at, and what every answer has, whatever it is about."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.app.asking import (
    EVALUATIONS,
    QUESTION,
    ROOT,
    TYPES,
    answered,
    counted,
    post,
    prepared,
    problem,
    service,
)

# -- alive and ready -------------------------------------------------------------------------


def test_a_service_with_a_policy_lives_and_is_ready(client: FlaskClient) -> None:
    assert answered(client.get("/livez")) == {"status": "alive"}
    assert answered(client.get("/readyz")) == {"status": "ready"}


def test_a_service_without_a_policy_lives_and_is_not_ready() -> None:
    client = service(None).test_client()

    assert answered(client.get("/livez")) == {"status": "alive"}
    assert "No policy is in force" in problem(client.get("/readyz"), 503)["detail"]


# -- what is counted -------------------------------------------------------------------------


def test_clients_judged_are_counted_by_policy(app: Flask) -> None:
    digest = answered(post(app, QUESTION))["policy"]["digest"][:12]
    before = counted(app, "merit_evaluations_total", policy=digest)

    post(app, [QUESTION] * 7)
    post(app, [QUESTION, {"facts": {"glamour": 1}}])

    assert counted(app, "merit_evaluations_total", policy=digest) == before + 7


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/livez", {"method": "GET", "route": "/livez", "status": "200"}),
        ("GET", EVALUATIONS, {"method": "GET", "route": "none", "status": "405"}),
        ("GET", "/secret", {"method": "GET", "route": "none", "status": "404"}),
        ("GET", "/api/docs/x", {"method": "GET", "route": "/api/docs/<name>", "status": "404"}),
        ("POST", EVALUATIONS, {"method": "POST", "route": EVALUATIONS, "status": "415"}),
        ("BREW", "/livez", {"method": "other", "route": "none", "status": "405"}),
    ],
)
def test_requests_are_counted_by_their_route(
    app: Flask, method: str, path: str, labels: dict[str, str]
) -> None:
    before = counted(app, "merit_request_seconds_count", **labels)

    app.test_client().open(path, method=method)

    assert counted(app, "merit_request_seconds_count", **labels) == before + 1


def test_made_up_addresses_and_methods_add_nothing_to_what_is_counted(app: Flask) -> None:
    client = app.test_client()
    client.open("/made/up/0", method="MADEUP0")
    client.get("/metrics")  # which is counted, too, once it is answered
    before = len(client.get("/metrics").text.splitlines())

    for number in range(1, 20):
        client.open(f"/made/up/{number}", method=f"MADEUP{number}")

    assert len(client.get("/metrics").text.splitlines()) == before


def test_counts_are_given_as_prometheus_reads_them(client: FlaskClient) -> None:
    response = client.get("/metrics")

    assert response.status_code == 200
    assert response.mimetype == "text/plain"
    assert "version" in response.mimetype_params
    assert "# TYPE merit_evaluations_total counter" in response.text


ASK = """
from tests.app.asking import QUESTION, EXAMPLE, counted, post, prepared, service
from rules.document.strict_json import loads
in_force = prepared(loads(EXAMPLE.read_bytes()))
app = service(in_force)
post(app, [QUESTION] * {number})
digest = in_force.policy.digest[:12]
print(counted(app, "merit_evaluations_total", policy=digest))
"""


def _python(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_processes_that_share_a_folder_are_counted_together(tmp_path: Path) -> None:
    found = [
        _python(ASK.format(number=number), PROMETHEUS_MULTIPROC_DIR=os.fspath(tmp_path)).stdout
        for number in (3, 4)
    ]

    assert [float(each) for each in found] == [3, 7]


# -- what is logged --------------------------------------------------------------------------

LOGGED = """
from tests.app.asking import QUESTION, TYPES, post, prepared, service
app = service(prepared(TYPES))
post(app, {"client": "SECRET-17", "facts": {"spend": 123454321}})
post(app, {"client": "SECRET-17", "facts": {"spend": "123454321"}})
post(app, b'{"client": "SECRET-17", ')
app.test_client().get("/SECRET-17?client=SECRET-17")
app.extensions["merit"] = "SECRET-17"
post(app, {"client": "SECRET-17", "facts": {"spend": 123454321}})
"""


def test_every_line_of_the_log_is_an_object_and_none_tells_of_a_client() -> None:
    log = _python(LOGGED).stderr

    entries = [json.loads(line) for line in log.splitlines()]
    assert [(each["event"], each.get("status")) for each in entries] == [
        ("request", 200),
        ("request", 422),
        ("request", 400),
        ("request", 404),
        ("unforeseen", None),
        ("request", 500),
    ]
    assert "SECRET-17" not in log
    assert "123454321" not in log
    assert entries[4]["exception"][0]["exc_type"] == "AttributeError"


DIFFERED = """
from tests.app.asking import TYPES, post, prepared, service
from tests.app.test_failures import at_odds
post(service(at_odds()), {"client": "SECRET-17", "facts": {"spend": 999}})
"""


def test_where_the_evaluators_differed_the_log_has_the_policy_and_the_facts() -> None:
    log = _python(DIFFERED).stderr

    entry = json.loads(log.splitlines()[0])
    assert entry["event"] == "no_tier_named"
    assert prepared(TYPES).policy.digest in entry["detail"]
    assert "'spend': 999" in entry["detail"]
    assert "SECRET-17" not in log


# -- the page of the description -------------------------------------------------------------


class _Page(HTMLParser):
    """What a page asks the browser to fetch or to run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.inline: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        for name, value in attrs:
            if name in {"src", "href"}:
                self.fetched.append(value or "")
            if name.startswith("on") or name == "style":
                self.inline.append(f"{tag} {name}")

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"} and data.strip():
            self.inline.append(f"{self._inside} {data.strip()}")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def test_the_page_runs_nothing_inline_and_fetches_only_what_is_served_here(
    client: FlaskClient,
) -> None:
    response = client.get("/api/docs")
    page = _Page(response.text)

    assert response.mimetype == "text/html"
    assert page.inline == []
    assert len(page.fetched) == 4
    kinds = set()
    for address in page.fetched:
        if address != "data:,":
            found = client.get(address)
            assert found.status_code == 200
            assert found.data
            kinds.add(found.mimetype)
    assert kinds == {"text/css", "text/javascript"}


def test_the_page_may_run_and_reach_nothing_but_what_is_served_here(client: FlaskClient) -> None:
    policy = client.get("/api/docs").headers["Content-Security-Policy"]

    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for kind in ("script-src", "style-src", "connect-src"):
        assert rules[kind] == "'self'"
    for kind in ("base-uri", "form-action", "frame-ancestors"):
        assert rules[kind] == "'none'"
    assert "unsafe" not in policy
    assert "//" not in policy


@pytest.mark.parametrize(
    "name",
    [
        *("", "docs.html", "index.html", "package.json", "swagger-ui.js", "oauth2-redirect.html"),
        *("../docs.py", "%2e%2e/docs.py", "..%2fdocs.py", "%2fetc%2fpasswd", "%00", "docs.js%00"),
    ],
)
def test_nothing_else_is_served_beside_the_page(client: FlaskClient, name: str) -> None:
    problem(client.get(f"/api/docs/{name}"), 404)


def test_a_part_of_a_file_is_given_and_one_beyond_its_end_is_not(client: FlaskClient) -> None:
    part = client.get("/api/docs/docs.js", headers={"Range": "bytes=0-4"})
    beyond = client.get("/api/docs/docs.js", headers={"Range": "bytes=99999999-"})

    assert (part.status_code, part.text) == (206, "const")
    assert problem(beyond, 416)["title"] == "Range not satisfiable"


# -- every answer ----------------------------------------------------------------------------

PATHS = ("/livez", "/readyz", "/metrics", "/api/openapi.json", "/api/docs", "/api/v1/policy")


@pytest.mark.parametrize("path", [*PATHS, "/", "/nothing", "/api/docs/docs.js"])
def test_no_browser_may_guess_what_an_answer_is(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", PATHS)
def test_what_can_be_read_can_be_asked_for_without_its_body(client: FlaskClient, path: str) -> None:
    whole, head = client.get(path), client.head(path)

    assert (head.status_code, head.data) == (200, b"")
    assert head.content_type == whole.content_type


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "HEAD", "BREW"])
@pytest.mark.parametrize("path", [*PATHS, EVALUATIONS])
def test_a_method_that_is_not_taken_is_refused_by_naming_those_that_are(
    client: FlaskClient, path: str, method: str
) -> None:
    taken = client.options(path).headers["Allow"].split(", ")
    response = client.open(path, method=method)

    assert sorted(taken) == (
        ["OPTIONS", "POST"] if path == EVALUATIONS else ["GET", "HEAD", "OPTIONS"]
    )
    assert (response.status_code == 405) is (method not in taken)
    if response.status_code == 405:
        assert sorted(response.headers["Allow"].split(", ")) == sorted(taken)
        if method != "HEAD":
            problem(response, 405)


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/policy", "/livez/"),
        *("/LIVEZ", "/api/v1/evaluations/", "/api/v1/policy/x", "/%ff%fe", "/%00", "/.git/config"),
        *("/api/v1/clients/C-17/standing", "/static/docs.js", "/" + "x" * 5000),
    ],
)
def test_where_there_is_nothing_the_answer_says_so(client: FlaskClient, path: str) -> None:
    found = problem(client.get(path), 404)

    assert found["type"] == "urn:merit:problem:not-found"


def test_no_answer_says_what_the_service_is_made_of(client: FlaskClient) -> None:
    for path in (*PATHS, "/nothing"):
        text = " ".join(f"{name}: {value}" for name, value in client.get(path).headers.items())
        assert not re.search("werkzeug|flask|python|granian", text, re.IGNORECASE)
