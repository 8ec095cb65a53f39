"""Drafts written by several people: merged by path, both shown on a clash, taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.models import PolicyRevision
from app.services import drafting
from app.services.drafting import (
    Clash,
    Document,
    Reading,
    document_at,
    edit,
    findings,
    readable,
    undo,
)
from app.services.errors import Conflict, Invalid, NotActionable, NotAllowed, NotThere
from app.services.governance import withdraw
from app.services.installation import Fixed
from rules.document import paths
from rules.document.strict_json import loads
from tests.app.asking import EXAMPLE
from tests.app.company import Company
from tests.app.dealings import racing
from tests.app.shelf import document, drafted, submitted, told, version
from tests.rules.builders import condition, metric, policy_document, tier

HERE = Fixed("GBP", "Europe/London", "en", demo=False)


def putting(path: str, value: object) -> Callable[[Document], Document]:
    def change(found: Document) -> Document:
        made: Document = paths.put(found, path, value)
        return made

    return change


def edited(
    company: Company, number: int, path: str, value: object, *, base: int, by: str = "edith"
) -> int:
    with company.merit.acting(company.actor(by)) as act:
        return edit(act, number, base, putting(path, value))


def undone(
    company: Company, number: int, by: str = "edith", choices: dict[str, bool] | None = None
) -> int:
    with company.merit.acting(company.actor(by)) as act:
        return undo(act, number, choices)


def now(company: Company, number: int) -> Document:
    found: Document = version(company, number).document
    return found


# -- editing ---------------------------------------------------------------------------------


def test_two_editors_who_began_from_one_revision_both_win(new_company: Company) -> None:
    number = drafted(new_company)
    assert edited(new_company, number, "tiers[1].entry.value", 5, base=1) == 2
    assert edited(new_company, number, "name.en", "Better", base=1, by="emil") == 3

    assert now(new_company, number) == document(5, name={"en": "Better"})
    assert [each["verb"] for each in told(new_company, number)] == [
        "policy.drafted",
        "policy.saved",
        "policy.saved",
    ]


def test_the_same_place_changed_by_both_is_saved_by_neither_and_both_are_told(
    new_company: Company,
) -> None:
    number = drafted(new_company)
    edited(new_company, number, "tiers[1].entry.value", 5, base=1)

    with pytest.raises(Clash) as found:
        edited(new_company, number, "tiers[1].entry.value", 7, base=1, by="emil")

    [clash] = found.value.clashes
    assert (clash.path, clash.base, clash.mine, clash.theirs) == (
        "tiers[silver].entry.value",
        1000,
        7,
        5,
    )
    assert found.value.revision == 2
    assert found.value.merged_with(clash.path) == document(7)
    assert found.value.merged == document(5) == now(new_company, number)
    assert version(new_company, number).revision == 2


def test_a_clash_once_seen_is_settled_for_ones_own_value(new_company: Company) -> None:
    number = drafted(new_company)
    edited(new_company, number, "tiers[1].entry.value", 5, base=1)

    with new_company.merit.acting(new_company.actor("emil")) as act:
        edit(
            act, number, 1, putting("tiers[1].entry.value", 7), {"tiers[silver].entry.value": True}
        )

    assert now(new_company, number) == document(7)


def test_nothing_is_saved_where_nothing_comes_out_different(new_company: Company) -> None:
    number = drafted(new_company)
    assert edited(new_company, number, "tiers[1].entry.value", 1000, base=1) == 1
    edited(new_company, number, "tiers[1].entry.value", 5, base=1)
    assert edited(new_company, number, "tiers[1].entry.value", 5, base=1, by="emil") == 2

    assert len(told(new_company, number)) == 2


def test_only_editors_edit_and_only_drafts(new_company: Company) -> None:
    number = drafted(new_company)
    for name in ("paul", "olga", "anna", "max"):
        with pytest.raises(NotAllowed):
            edited(new_company, number, "name.en", "X", base=1, by=name)
        with pytest.raises(NotAllowed):
            undone(new_company, number, by=name)
    with pytest.raises(NotThere):
        edited(new_company, number, "name.en", "X", base=2)
    with pytest.raises(NotThere):
        edited(new_company, number + 1, "name.en", "X", base=1)
    other = submitted(new_company)
    with pytest.raises(NotActionable):
        edited(new_company, other, "name.en", "X", base=1)
    with pytest.raises(NotActionable):
        undone(new_company, other)
    assert now(new_company, number) == document()


def test_what_could_never_be_read_again_is_not_saved(new_company: Company) -> None:
    number = drafted(new_company)
    deep: Any = 1
    for _ in range(120):
        deep = [deep]

    for value in (deep, 10**60):
        with pytest.raises(Invalid):
            edited(new_company, number, "name.en", value, base=1)
    assert now(new_company, number) == document()


def test_of_many_who_save_at_the_same_moment_nobody_loses_anything(new_company: Company) -> None:
    metrics = [metric(f"m{each}", "count") for each in range(6)]
    number = drafted(new_company, policy_document(metrics))

    def renaming(each: int) -> Callable[[], object]:
        by, path = ("edith", "emil")[each % 2], f"metrics[{each}].name.en"
        return lambda: [
            edited(new_company, number, path, f"{each}-{time}", base=began(each, time), by=by)
            for time in range(4)
        ]

    def began(each: int, time: int) -> int:
        if time == 0:
            return 1
        with new_company.merit.database.reading() as session:
            return max(
                revision.revision
                for revision in session.query(PolicyRevision).filter_by(version_id=number)
                if str(revision.document["metrics"][each]["name"]["en"]).startswith(f"{each}-")
            )

    racing(*(renaming(each) for each in range(6)))

    assert [each["name"]["en"] for each in now(new_company, number)["metrics"]] == [
        f"{each}-3" for each in range(6)
    ]
    assert version(new_company, number).revision == 25


# -- taking back -----------------------------------------------------------------------------


def test_ones_own_edits_are_taken_back_one_by_one_and_nobody_elses(new_company: Company) -> None:
    number = drafted(new_company)
    edited(new_company, number, "name.en", "One", base=1)
    edited(new_company, number, "tiers[1].entry.value", 7, base=2, by="emil")
    edited(new_company, number, "tiers[0].name.en", "Two", base=3)

    undone(new_company, number)
    assert now(new_company, number) == document(7, name={"en": "One"})
    undone(new_company, number)
    assert now(new_company, number) == document(7)
    with pytest.raises(Conflict, match="nothing of yours"):
        undone(new_company, number)
    undone(new_company, number, by="emil")
    assert now(new_company, number) == document()
    assert [each["details"].get("undoes") for each in told(new_company, number)] == [
        *(None, None, None, None),
        *(4, 2, 3),
    ]


def test_an_edit_after_an_undo_is_the_next_to_be_taken_back(new_company: Company) -> None:
    number = drafted(new_company)
    edited(new_company, number, "name.en", "One", base=1)
    undone(new_company, number)
    edited(new_company, number, "name.en", "Two", base=3)

    undone(new_company, number)

    assert now(new_company, number) == document()
    with pytest.raises(Conflict):
        undone(new_company, number)


def test_what_somebody_else_changed_since_is_not_taken_back_unasked(new_company: Company) -> None:
    number = drafted(new_company)
    edited(new_company, number, "name.en", "One", base=1)
    edited(new_company, number, "name.en", "Other", base=2, by="emil")

    with pytest.raises(Clash) as found:
        undone(new_company, number)

    assert [each.path for each in found.value.clashes] == ["name.en"]
    assert now(new_company, number)["name"] == {"en": "Other"}
    undone(new_company, number, choices={"name.en": True})
    assert now(new_company, number) == document()


def test_whether_there_is_anything_to_take_back_is_known(new_company: Company) -> None:
    number = drafted(new_company)
    edith = new_company.actor("edith").person_id or 0
    edited(new_company, number, "name.en", "One", base=1)
    for expected in (True, False):
        with new_company.merit.database.reading() as session:
            assert drafting.can_undo(session, number, edith) is expected
        if expected:
            undone(new_company, number)


def test_every_revision_can_be_read_again(new_company: Company) -> None:
    number = drafted(new_company)
    edited(new_company, number, "name.en", "One", base=1)
    with new_company.merit.database.reading() as session:
        assert document_at(session, number, 1) == document()
        assert document_at(session, number, 2) == document(name={"en": "One"})
    with new_company.merit.acting(new_company.actor("edith")) as act:
        withdraw(act, number, "Not needed.")
    with pytest.raises(NotActionable):
        undone(new_company, number)


# -- what is wrong, and what can be read -----------------------------------------------------


def wrong(found: Document, former: Document | None = None) -> list[str]:
    return [str(each) for each in findings(found, HERE, former)]


def test_a_draft_that_could_be_submitted_has_no_findings() -> None:
    assert wrong(document(), document(5)) == []
    assert wrong(loads(EXAMPLE.read_bytes())) == []  # type: ignore[arg-type]  # an object


def test_everything_wrong_with_a_draft_is_found_at_once() -> None:
    broken = document(tiers=[tier("base"), tier("gold", entry=condition("gone", "at_least", 1))])

    assert wrong({**broken, "currency": "EUR", "time_zone": "Europe/Kyiv"}) == [
        "tiers[1].entry.metric: names none of the policy's metrics (spend)",
        "currency: must be GBP, the installation's",
        "time_zone: must be Europe/London, the installation's",
    ]


def test_examples_and_tiers_left_out_are_found_without_the_engine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a draft is never compiled")

    monkeypatch.setattr("rules.engine.Engine.__init__", never)
    example = {"name": {"en": "Ann"}, "date": "2026-07-01", "facts": {"spend": 9}, "tier": "silver"}
    former = document(tiers=[tier("base"), tier("old", entry=condition("spend", "at_least", 1))])

    assert wrong(document(examples=[example]), former) == [
        "transition.former_tiers: must say which tiers take the place of old",
        "examples[0]: “Ann” should give silver; it gives base.",
    ]


def test_all_but_what_is_wrong_can_be_read() -> None:
    found: Any = loads(EXAMPLE.read_bytes())
    for path, value in (
        ("tiers[2].entry.all[0].value", "much"),
        ("tiers[1].name", {"uk": "Срібло"}),
        ("letters[0].subject.en", ""),
        ("metrics[0].source", {"kind": "nothing"}),
    ):
        broken = paths.put(found, path, value)
        reading = readable(broken)
        assert reading.policy is not None, path
        assert any(each.path.startswith(path) for each in reading.problems), path
        assert [each.key for each in reading.policy.tiers] == [
            each["key"] for each in found["tiers"]
        ]
    assert readable(found).problems == ()


@pytest.mark.parametrize(
    "path",
    ["key", "name", "languages", "currency", "time_zone", "metrics", "tiers", "format", "letters"],
)
@pytest.mark.parametrize("value", ["?", 5, [], {}, [{}], [[]], None, {"key": 1}, [{"key": "a"}]])
def test_no_draft_is_so_wrong_that_nothing_can_be_read(path: str, value: object) -> None:
    found: Any = loads(EXAMPLE.read_bytes())

    assert readable(paths.put(found, path, value)).policy is not None
    assert readable({path: value}).policy is not None


def test_of_two_wrong_parts_of_a_list_each_is_left_out_and_nothing_else() -> None:
    entry = {
        "all": [
            {"metric": "spend", "operator": "at_least"},
            condition("spend", "at_most", 10),
            {"metric": "spend"},
            condition("spend", "at_least", 1),
        ]
    }
    reading: Reading = readable(document(tiers=[tier("base"), tier("gold", entry=entry)]))

    assert reading.policy is not None
    left = document(
        tiers=[tier("base"), tier("gold", entry={"all": [entry["all"][1], entry["all"][3]]})]
    )
    assert readable(left).policy == reading.policy
    assert [each.path for each in reading.problems] == [
        "tiers[1].entry.all[0].value",
        "tiers[1].entry.all[2].operator",
    ]
