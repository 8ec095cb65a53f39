"""``GET /policy``: the document by which everybody is judged, and what it says in words."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from flask import Flask
from flask.testing import FlaskClient

from rules.document.strict_json import digest, loads
from tests.app.asking import (
    EXAMPLE,
    QUESTION,
    TYPES,
    answered,
    post,
    prepared,
    problem,
    service,
)
from tests.rules.builders import changed, condition

POLICY = "/api/v1/policy"


def test_the_document_is_given_as_it_was_written(client: FlaskClient) -> None:
    assert answered(client.get(POLICY))["document"] == loads(EXAMPLE.read_bytes())


def test_its_digest_is_that_of_every_answer(app: Flask, client: FlaskClient) -> None:
    found = answered(client.get(POLICY))

    assert found["digest"] == digest(found["document"])
    assert found["digest"] == answered(post(app, QUESTION))["policy"]["digest"]


def test_what_it_says_in_sentences_names_every_tier_metric_and_limit(client: FlaskClient) -> None:
    found = answered(client.get(POLICY))
    text = "\n".join(each["text"] for each in found["sentences"])

    for kind in ("metrics", "tiers", "segments", "standards", "demotion_policies"):
        for each in found["document"][kind]:
            assert each["name"]["en"] in text
    for limit in ("£1,000.00", "£20,000.00", "180 days", "50%"):
        assert limit in text
    assert "%(" not in text
    depths = [each["depth"] for each in found["sentences"]]
    assert depths[0] == 0
    assert all(later - one <= 1 for one, later in pairwise(depths))


def test_the_sentences_and_names_are_in_a_language_there_is(
    client: FlaskClient,
) -> None:
    english = client.get(POLICY, headers={"Accept-Language": "de"})
    ukrainian = client.get(POLICY, headers={"Accept-Language": "uk-UA, de;q=0.5"})

    for response, language in ((english, "en"), (ukrainian, "uk")):
        assert response.headers["Content-Language"] == language
        assert response.headers["Vary"] == "Accept-Language"
    assert "Silver is kept by who meets:" in english.text
    assert "Критерії збереження рівня «Срібло»:" in ukrainian.text
    assert english.headers["ETag"] != ukrainian.headers["ETag"]


def test_who_knows_it_already_is_told_so_without_a_body(client: FlaskClient) -> None:
    etag = client.get(POLICY).headers["ETag"]

    for known in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = client.get(POLICY, headers={"If-None-Match": known})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == etag


@pytest.mark.parametrize("known", ['"other"', "", "garbage", '"', "W/", "," * 999])
def test_who_knows_another_gets_it(client: FlaskClient, known: str) -> None:
    assert answered(client.get(POLICY, headers={"If-None-Match": known}))


def test_who_wants_exactly_another_is_refused(client: FlaskClient) -> None:
    problem(client.get(POLICY, headers={"If-Match": '"other"'}), 412)


def test_another_policy_has_another_etag(client: FlaskClient) -> None:
    other = service(prepared(TYPES)).test_client().get(POLICY)
    one = client.get(POLICY)

    assert re.fullmatch('"[0-9a-f]{20,}"', one.headers["ETag"])
    assert one.headers["ETag"] != other.headers["ETag"]


def test_numbers_of_a_document_are_given_exactly() -> None:
    document = changed(TYPES, ("tiers", 1, "entry"), condition("rating", "at_least", 4.8))

    response = service(prepared(document)).test_client().get(POLICY)

    assert '"value": 4.8}' in response.text
