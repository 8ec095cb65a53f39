"""When nothing can be decided the service says so: 503, why, and never a tier."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.config import Config
from app.services.policies import LARGEST_DOCUMENT, PolicyInForce, PolicyUnusable, Rulebook
from rules.document import load
from rules.document.strict_json import dumps, loads
from rules.reference import Reference
from tests.app.asking import (
    EVALUATIONS,
    EXAMPLE,
    NOW,
    QUESTION,
    TYPES,
    counted,
    post,
    prepared,
    problem,
    service,
)
from tests.rules.builders import (
    Document,
    changed,
    condition,
    metric,
    policy_document,
    tier,
)

SILVER = {"facts": {"spend": 1000}}
LAXER = condition("spend", "at_least", 999)


# -- no policy that works --------------------------------------------------------------------


def test_without_a_policy_there_is_no_answer() -> None:
    found = problem(post(service(None), QUESTION), 503)

    assert found["type"] == "urn:merit:problem:no-policy"
    assert "MERIT_POLICY" in found["detail"]


def test_without_a_policy_there_is_none_to_be_read() -> None:
    found = problem(service(None).test_client().get("/api/v1/policy"), 503)

    assert found["type"] == "urn:merit:problem:no-policy"


def test_without_a_policy_what_cannot_be_read_is_still_the_fault_of_the_question() -> None:
    problem(post(service(None), b"{"), 400)


def served(policy: Path) -> FlaskClient:
    return create_app(Config(policy), lambda: NOW).test_client()


BROKEN: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"{", "This is not JSON"),
    "empty": (b"", "This is not JSON"),
    "nested beyond all": (b"[" * 200_000, "nested too deeply"),
    "too large": (b" " * (LARGEST_DOCUMENT + 1), "larger than"),
    "not an object": (b"[]", "not valid"),
    "not a policy": (b"{}", "not valid"),
    "no longer a policy": (EXAMPLE.read_bytes().replace(b"at_least", b"at_worst"), "not valid"),
}


@pytest.mark.parametrize(("content", "why"), BROKEN.values(), ids=BROKEN)
def test_with_a_broken_policy_nothing_is_decided_and_readiness_says_why(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "policy.json"
    path.write_bytes(content)
    client = served(path)

    for response in (client.post(EVALUATIONS, json=QUESTION), client.get("/api/v1/policy")):
        found = problem(response, 503)
        assert found["type"] == "urn:merit:problem:policy-unusable"
        assert found["detail"] == "The configured policy cannot be used; /readyz says why."
    assert why in problem(client.get("/readyz"), 503)["detail"]


def test_readiness_names_every_error_of_an_invalid_policy(tmp_path: Path) -> None:
    document = loads(EXAMPLE.read_bytes())
    assert isinstance(document, dict)
    del document["currency"]
    document["tiers"][1]["entry"]["all"][0]["metric"] = "turnover"
    path = tmp_path / "policy.json"
    path.write_text(dumps(document), encoding="utf-8")

    found = problem(served(path).get("/readyz"), 503)

    assert list(found["errors"]) == ["currency", "tiers[1].entry.all[0].metric"]


@pytest.mark.parametrize("name", ["missing.json", "."])
def test_with_no_file_that_can_be_read_nothing_is_decided(tmp_path: Path, name: str) -> None:
    client = served(tmp_path / name)

    problem(client.post(EVALUATIONS, json=QUESTION), 503)
    assert "cannot be read" in problem(client.get("/readyz"), 503)["detail"]


def test_a_policy_that_fails_its_trial_is_not_tried_again_for_every_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child is a real one; the interpreter it is started with dies, and keeps count."""
    interpreter, starts = tmp_path / "python", tmp_path / "starts"
    interpreter.write_text(f"#!/bin/sh\necho started >> {starts}\nkill -SEGV $$\n")
    interpreter.chmod(0o700)
    monkeypatch.setattr("sys.executable", os.fspath(interpreter))
    client = served(EXAMPLE)

    for _ in range(3):
        problem(client.post(EVALUATIONS, json=QUESTION), 503)
        assert "did not survive a trial" in problem(client.get("/readyz"), 503)["detail"]
    assert starts.read_text() == "started\n"


def test_a_rulebook_gives_the_reason_anew_each_time(tmp_path: Path) -> None:
    rulebook = Rulebook(tmp_path / "missing.json")
    reasons = []
    for _ in range(2):
        with pytest.raises(PolicyUnusable) as raised:
            rulebook.in_force()
        reasons.append(raised.value)

    assert reasons[0] is not reasons[1]
    assert str(reasons[0]) == str(reasons[1])


# -- evaluators that fail --------------------------------------------------------------------


def at_odds(entry: Document = LAXER) -> PolicyInForce:
    """Return a policy whose reference evaluator reads another entry to silver than its engine."""
    in_force = prepared(TYPES)
    in_force.judge.reference = Reference(load(changed(TYPES, ("tiers", 1, "entry"), entry)))
    return in_force


def out_of_order() -> PolicyInForce:
    """Return a policy whose rule set the library no longer knows."""
    in_force = prepared(TYPES)
    in_force.judge._engine._conditions._rules._sets[0]._handle = 2**30
    return in_force


def test_where_the_evaluators_differ_no_tier_is_named_and_the_case_is_counted() -> None:
    app = service(at_odds())
    before = counted(app, "merit_failed_evaluations_total", reason="Disagreement")

    response = post(app, {"facts": {"spend": 999}})

    assert problem(response, 503)["type"] == "urn:merit:problem:no-answer"
    assert not any(each["key"] in response.text for each in TYPES["tiers"])
    after = counted(app, "merit_failed_evaluations_total", reason="Disagreement")
    assert after == before + 1


def test_where_they_agree_there_is_an_answer() -> None:
    assert post(service(at_odds()), SILVER).status_code == 200


def test_one_question_without_an_answer_leaves_all_of_them_without() -> None:
    response = post(service(at_odds()), [SILVER, {"facts": {"spend": 999}}, SILVER])

    problem(response, 503)
    assert "silver" not in response.text


def test_where_the_engine_fails_no_tier_is_named_and_the_case_is_counted() -> None:
    app = service(out_of_order())
    before = counted(app, "merit_failed_evaluations_total", reason="EngineFailure")

    for _ in range(2):
        response = post(app, SILVER)
        assert problem(response, 503)["type"] == "urn:merit:problem:no-answer"
        assert "silver" not in response.text

    after = counted(app, "merit_failed_evaluations_total", reason="EngineFailure")
    assert after == before + 2


def test_a_service_whose_engine_failed_is_not_ready() -> None:
    found = problem(service(out_of_order()).test_client().get("/readyz"), 503)

    assert found["type"] == "urn:merit:problem:not-ready"
    assert "The rules engine failed" in found["detail"]


def test_a_service_whose_evaluators_differ_about_a_client_made_up_is_not_ready() -> None:
    in_force = at_odds({"none": [condition("spend", "is_known"), condition("spend", "is_known")]})

    found = problem(service(in_force).test_client().get("/readyz"), 503)

    assert "disagree" in found["detail"]


def test_a_service_whose_evaluators_differed_about_anybody_is_not_ready_any_more() -> None:
    client = service(at_odds(condition("spend", "at_least", 1001))).test_client()
    assert client.get("/readyz").status_code == 200

    client.post(EVALUATIONS, json={"facts": {"spend": 1000}})

    assert "the log has the case" in problem(client.get("/readyz"), 503)["detail"]


def test_failed_evaluations_are_not_counted_as_answered() -> None:
    in_force = at_odds()
    app, digest = service(in_force), in_force.policy.digest[:12]
    before = counted(app, "merit_evaluations_total", policy=digest)

    post(app, [{"facts": {"spend": 999}}, SILVER])
    post(app, [SILVER, SILVER])

    assert counted(app, "merit_evaluations_total", policy=digest) == before + 2


# -- what nobody foresaw ---------------------------------------------------------------------


class Unforeseen(Rulebook):
    def in_force(self) -> PolicyInForce:
        raise ZeroDivisionError("the client's secret")


def test_what_nobody_foresaw_is_a_problem_too_and_tells_nothing() -> None:
    app = service(None)
    rulebook = Unforeseen(None)
    app.extensions["merit"] = type(app.extensions["merit"])(Config(), lambda: NOW, rulebook)

    for response in (post(app, QUESTION), app.test_client().get("/api/v1/policy")):
        assert problem(response, 500)["type"] == "urn:merit:problem:internal"
        assert "secret" not in response.text
        assert "ZeroDivisionError" not in response.text


def test_a_policy_of_the_largest_number_of_metrics_may_be_asked_with_all_facts() -> None:
    metrics = [metric(f"m{number}", "count") for number in range(200)]
    app: Flask = service(
        prepared(policy_document(metrics, [tier("top", entry=condition("m0", "at_least", 1))]))
    )

    assert post(app, {"facts": {each["key"]: 1 for each in metrics}}).status_code == 200
