"""When nothing can be decided the service says so: 503, why, and never a tier."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.models import PolicyVersion
from app.services.policies import PolicyInForce
from app.services.rulebook import PolicyUnusable, Rulebook
from rules.document import load
from rules.document.strict_json import digest
from rules.reference import Reference
from tests.app.asking import (
    EVALUATIONS,
    QUESTION,
    TYPES,
    counted,
    post,
    prepared,
    problem,
    served,
    service,
)
from tests.app.company import NOW, Company
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

POLICY, STANDING = "/api/v1/policy", "/api/v1/clients/C-17/standing"


# -- no policy that works --------------------------------------------------------------------


def test_without_a_policy_there_is_no_answer() -> None:
    found = problem(post(service(None), QUESTION), 503)

    assert found["type"] == "urn:merit:problem:no-policy"
    assert found["detail"] == "No policy is in force yet: nothing can be decided."


def test_without_a_policy_there_is_none_to_be_read() -> None:
    found = problem(service(None).test_client().get(POLICY), 503)

    assert found["type"] == "urn:merit:problem:no-policy"


def test_without_a_policy_no_client_stands_anywhere() -> None:
    client = service(None).test_client()
    assert client.put("/api/v1/clients/C-17", json={}).status_code == 201

    assert problem(client.get(STANDING), 503)["type"] == "urn:merit:problem:no-policy"


def test_without_a_policy_what_cannot_be_read_is_still_the_fault_of_the_question() -> None:
    problem(post(service(None), b"{"), 400)


@pytest.fixture
def outdated(new_company: Company) -> Company:
    """Return a company with a client, its policy taken by a program that took other ones."""
    served(new_company).test_client().put("/api/v1/clients/C-17", json={})
    document = changed(TYPES, ("tiers", 1, "entry", "operator"), "at_worst")
    with new_company.merit.database.writing() as session:
        session.add(
            PolicyVersion(
                state="in_force",
                document=document,
                digest=digest(document),
                revision=1,
                created_by=1,
                created_at=NOW,
                in_force_from=NOW,
            )
        )
    return new_company


def test_with_a_policy_that_cannot_be_read_nothing_is_decided_and_everybody_is_told_why(
    outdated: Company,
) -> None:
    client = served(outdated).test_client()

    for response in (
        client.post(EVALUATIONS, json=QUESTION),
        client.get(POLICY),
        client.get(STANDING),
        client.put("/api/v1/clients/C-18", json={"attributes": {"spend": 1}}),
    ):
        found = problem(response, 503)
        assert found["type"] == "urn:merit:problem:policy-unusable"
        assert "tiers[1].entry.operator" in found["detail"]
    assert "tiers[1].entry.operator" in problem(client.get("/readyz"), 503)["detail"]


def test_a_rulebook_gives_the_reason_anew_each_time(outdated: Company) -> None:
    rulebook, reasons = Rulebook(), []
    with outdated.merit.database.reading() as session:
        for _ in range(2):
            with pytest.raises(PolicyUnusable) as raised:
                rulebook.in_force(session)
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
    def in_force(self, session: Session) -> PolicyInForce:
        raise ZeroDivisionError("the client's secret")


def test_what_nobody_foresaw_is_a_problem_too_and_tells_nothing() -> None:
    app = service(None)
    vars(app.extensions["merit"])["rulebook"] = Unforeseen()

    for response in (post(app, QUESTION), app.test_client().get(POLICY)):
        assert problem(response, 500)["type"] == "urn:merit:problem:internal"
        assert "secret" not in response.text
        assert "ZeroDivisionError" not in response.text


def test_a_policy_of_the_largest_number_of_metrics_may_be_asked_with_all_facts() -> None:
    metrics = [metric(f"m{number}", "count") for number in range(200)]
    app: Flask = service(
        prepared(policy_document(metrics, [tier("top", entry=condition("m0", "at_least", 1))]))
    )

    assert post(app, {"facts": {each["key"]: 1 for each in metrics}}).status_code == 200
