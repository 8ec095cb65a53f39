"""What a draft can begin from is whole, judged alike by both evaluators, and in one's languages."""

from __future__ import annotations

from typing import Any

import pytest

from app.services.drafting import findings
from app.services.errors import NotThere
from app.services.installation import Fixed
from app.services.policies import prepare
from app.services.starts import READY_IN, STARTS, starting_document
from app.words import Words
from rules.describe import describe
from rules.document import load
from rules.proposals import proposals
from tests.app.company import NOW, Company

READY = [each.key for each in STARTS if each.key != "empty"]
HERE = Fixed("PLN", "Europe/Warsaw", "pl", demo=False)


@pytest.mark.parametrize("key", [each.key for each in STARTS])
@pytest.mark.parametrize("languages", [["en"], ["uk"], ["uk", "en"]])
def test_each_start_could_be_submitted_as_it_is(key: str, languages: list[str]) -> None:
    document = starting_document(key, HERE, languages)

    assert findings(document, HERE, None) == ()
    assert document["languages"] == languages
    assert document["currency"] == "PLN"
    assert document["time_zone"] == "Europe/Warsaw"


@pytest.mark.parametrize("key", [each.key for each in STARTS])
def test_both_evaluators_agree_on_each_start_and_its_examples(key: str) -> None:
    assert prepare(starting_document(key, HERE, ["en"])).policy.examples or key == "empty"


@pytest.mark.parametrize("key", READY)
def test_a_ready_policy_is_complete(key: str) -> None:
    policy = load(starting_document(key, HERE, READY_IN))

    for tier in policy.tiers[1:]:
        assert tier.keep is not None
        assert tier.benefits
        assert tier.standards
        assert policy.demotion_of(tier.key) is not None
    for demotion in policy.demotion_policies:
        assert all(step.letter is not None for step in demotion.steps)
        assert demotion.reinstatement_letter is not None
    assert policy.promotion.letter is not None
    assert {each.tier for each in policy.examples} == {each.key for each in policy.tiers}
    used = {step.letter for each in policy.demotion_policies for step in each.steps}
    used |= {each.reinstatement_letter for each in policy.demotion_policies}
    assert {each.key for each in policy.letters} == used | {policy.promotion.letter}
    assert list(proposals(policy, NOW.date()))


@pytest.mark.parametrize("key", READY)
def test_a_ready_policy_says_all_in_each_of_its_languages(key: str) -> None:
    def texts(part: Any) -> list[set[str]]:
        if isinstance(part, dict) and part and set(part) <= set(READY_IN):
            return [set(part)]
        parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return [found for each in parts for found in texts(each)]

    document = starting_document(key, HERE, READY_IN)
    assert all(each == set(READY_IN) for each in texts(document))
    said = {
        each: [Words.negotiated([each]).say(line.sentence) for line in describe(load(document))]
        for each in READY_IN
    }
    assert said["en"] != said["uk"]


def test_without_a_language_of_theirs_ready_policies_are_in_english() -> None:
    assert starting_document("points", HERE, ["pl"])["languages"] == ["en"]
    assert starting_document("empty", HERE, ["pl"])["languages"] == ["pl"]


def test_what_is_not_there_to_begin_from_is_refused() -> None:
    for key in ("letters", "../demo/policy", ""):
        with pytest.raises(NotThere):
            starting_document(key, HERE, ["en"])


@pytest.mark.parametrize("key", READY)
def test_a_ready_policy_comes_into_force(new_company: Company, key: str) -> None:
    here = new_company.merit.fixed

    number = new_company.publish(starting_document(key, here, ["en", "uk"]))

    with new_company.merit.database.reading() as session:
        assert new_company.merit.rulebook.in_force(session).number == number
