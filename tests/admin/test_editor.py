"""The editor of drafts: every field saves its place, every button does what it says."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest

from rules.document.strict_json import dumps
from tests.admin.conftest import SignedIn
from tests.admin.writing import Form, Writer
from tests.app.asking import EXAMPLE
from tests.app.shelf import version

PARTS = (
    "policy",
    "figures",
    "tiers",
    "rising",
    "ways-down",
    "promises",
    "segments",
    "letters",
    "transition",
    "examples",
)
STARTS = ("empty", "activity", "revenue", "points", "version:1")


@pytest.mark.parametrize("start", STARTS)
def test_every_page_of_a_new_draft_opens(signed_in: SignedIn, start: str) -> None:
    edith = signed_in("edith")
    answer = edith.post("/drafts/new", start=start, languages=["en"])
    assert (answer.status_code, answer.location) == (302, "/drafts/2/")
    assert edith.get("/drafts/2/").status_code == 200
    for part in PARTS:
        answer = edith.get(f"/drafts/2/{part}/")
        assert answer.status_code == 200, part
        links = [each.split('"')[0] for each in answer.text.split(f'href="/drafts/2/{part}/')[1:]]
        for link in links:
            assert edith.get(f"/drafts/2/{part}/{link}").status_code == 200, link


@pytest.fixture
def writer(signed_in: SignedIn) -> Writer:
    """Edith, with a draft of the rules in force."""
    edith = signed_in("edith")
    edith.post("/drafts/new", start="version:1")
    return Writer(edith, 2)


def other(signed_in: SignedIn) -> Writer:
    """Emil, at the same draft."""
    return Writer(signed_in("emil"), 2)


LIMIT = "money:tiers[1].entry.all[0].value"


def test_a_limit_typed_in_pounds_is_kept_in_pence_and_read_back(writer: Writer) -> None:
    writer.open("tiers", "silver")
    assert writer.form.fields[LIMIT] == ["1000"]

    writer.fill({LIMIT: ["1,250.50"]})

    assert writer.document["tiers"][1]["entry"]["all"][0]["value"] == 125050
    assert writer.form.fields[LIMIT] == ["1250.5"]
    assert "at least £1,250.50" in writer.visitor.get(writer.url).text


def test_what_cannot_be_read_stays_as_typed_with_its_error_at_the_field(writer: Writer) -> None:
    writer.open("tiers", "silver").fill({LIMIT: ["a lot"]})

    assert writer.form.fields[LIMIT] == ["a lot"]
    text = writer.visitor.get(writer.url).text
    field_id = "f-tiers-1--entry-all-0--value"
    said = "With what, in GBP: must be an amount of money, such as 1250"
    assert f'<a href="#{field_id}">{said}</a>' in text
    assert f'id="{field_id}-why"' in text
    assert 'aria-invalid="true"' in text
    assert "to be mended: 1" in writer.visitor.get("/drafts/2/").text

    writer.fill({LIMIT: ["1000"]})
    assert "to be mended" not in writer.visitor.get("/drafts/2/").text


def test_only_the_form_is_made_anew_where_a_script_asks(writer: Writer) -> None:
    writer.open("tiers", "silver")
    fields: dict[str, Any] = {**writer.form.fields, LIMIT: "1500"}
    del fields["csrf_token"]

    answer = writer.visitor.post(writer.url, part=True, **fields)

    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert 'name="revision" value="2"' in answer.text
    assert "at least £1,500.00" in answer.text


def test_nothing_changed_saves_no_revision(writer: Writer) -> None:
    for part in PARTS:
        writer.open(part).fill({})
    for part, ref in (
        ("tiers", "gold"),
        ("figures", "revenue_12m"),
        ("letters", "notice"),
        ("ways-down", "stepwise"),
        ("segments", "lost"),
        ("examples", "0"),
        ("promises", "call_each_quarter"),
    ):
        writer.open(part, ref).fill({})
    assert version(writer.visitor.company, 2).revision == 1


def test_conditions_are_added_grouped_and_removed(writer: Writer) -> None:
    entry = "tiers[1].entry"
    before = writer.document["tiers"][1]["entry"]["all"]
    writer.open("tiers", "silver").press(f"node {entry}.all condition")
    assert len(writer.document["tiers"][1]["entry"]["all"]) == 4
    writer.press(f"wrap {entry}.all[3]")
    assert "all" in writer.document["tiers"][1]["entry"]["all"][3]
    writer.fill({f"group:{entry}.all[3]": ["of"]})
    assert writer.document["tiers"][1]["entry"]["all"][3]["at_least"] == 1
    writer.press(f"unwrap {entry}.all[3]")
    assert "metric" in writer.document["tiers"][1]["entry"]["all"][3]
    writer.press(f"remove {entry}.all[3]")
    assert writer.document["tiers"][1]["entry"]["all"] == before
    for _ in range(3):
        writer.press(f"remove {entry}.all[0]")
    assert "entry" not in writer.document["tiers"][1]
    assert "Who reaches it: is missing" in writer.visitor.get(writer.url).text
    assert "Silver</a>: is missing" in writer.visitor.get("/drafts/2/").text
    writer.press(f"node {entry} group")
    assert "needs at least one condition" in writer.visitor.get(writer.url).text


def test_a_condition_on_another_figure_keeps_only_what_suits_it(writer: Writer) -> None:
    node = "tiers[1].entry.all[0]"
    writer.open("tiers", "silver").fill({f"metric:{node}": ["orders"]})
    found = writer.document["tiers"][1]["entry"]["all"][0]
    assert found == {"metric": "orders", "operator": "at_least", "value": 100000}

    writer.fill({f"operator:{node}": ["between"]})
    writer.fill({f"pair-whole:{node}.value": ["3", "9"]})
    assert writer.document["tiers"][1]["entry"]["all"][0]["value"] == [3, 9]
    writer.fill({f"operator:{node}": ["is_known"]})
    found = writer.document["tiers"][1]["entry"]["all"][0]
    assert found == {"metric": "orders", "operator": "is_known"}


def test_a_part_changes_its_shape_and_keeps_what_means_the_same(writer: Writer) -> None:
    source = "metrics[0].source"
    writer.open("figures", "revenue_12m").fill({f"shape-window:{source}.window": ["previous"]})
    window = writer.document["metrics"][0]["source"]["window"]
    assert window == {"kind": "previous", "n": 1, "unit": "year"}
    writer.open("tiers", "gold").fill({"shape-validity:tiers[2].validity": ["calendar"]})
    assert writer.document["tiers"][2]["validity"] == {"kind": "calendar", "unit": "year"}
    writer.fill({"shape-validity:tiers[2].validity": [""]})
    assert "validity" not in writer.document["tiers"][2]


def test_a_step_is_added_moved_and_timed(writer: Writer) -> None:
    steps = "demotion_policies[0].steps"
    writer.open("ways-down", "deferred").press(f"add {steps} withdraw")
    writer.press(f"up {steps}[2]")
    writer.fill(
        {
            f"choices:{steps}[1].benefits": ["", "free_delivery"],
            f"whole:{steps}[1].days": ["20"],
        }
    )
    assert writer.document["demotion_policies"][0]["steps"][1] == {
        "kind": "withdraw",
        "days": 20,
        "benefits": ["free_delivery"],
    }


def test_what_is_added_gets_a_short_name_of_its_own(writer: Writer) -> None:
    for name in ("Very Important", "Very Important", "Дуже важливі"):
        writer.open("tiers").press("add tiers", new=name)
    keys = [each["key"] for each in writer.document["tiers"]]
    assert keys[-3:] == ["very_important", "very_important_2", "duzhe_vazhlyvi"]
    assert writer.url == "/drafts/2/tiers/duzhe_vazhlyvi"


def test_a_page_whose_thing_was_removed_leads_to_its_list(writer: Writer) -> None:
    writer.open("tiers").press("remove tiers[3]")
    assert writer.url == "/drafts/2/tiers/"
    assert writer.visitor.get("/drafts/2/tiers/platinum").status_code == 404


def test_examples_are_proposed_kept_and_run_at_every_save(writer: Writer) -> None:
    writer.open("examples")
    op = next(each for each in writer.form.ops if each.startswith("propose"))
    writer.press(op)
    kept = writer.document["examples"][-1]
    assert "asks for" in kept["name"]["en"]
    assert "nothing is missing" in writer.visitor.get("/drafts/2/").text.lower()

    writer.open("examples", "0").fill({"word?:examples[0].tier": ["gold"]})
    assert "should give Gold; it gives Silver" in writer.visitor.get(writer.url).text
    assert "should give Gold; it gives Silver" in writer.visitor.get("/drafts/2/").text


def test_a_figure_that_is_not_known_is_told_from_one_that_is_left_out(writer: Writer) -> None:
    writer.open("examples", "0").fill({"whole?:examples[0].facts.orders": ["?"]})
    assert writer.document["examples"][0]["facts"]["orders"] is None
    writer.fill({"whole?:examples[0].facts.orders": [""]})
    assert "orders" not in writer.document["examples"][0]["facts"]


def test_a_day_that_is_none_is_not_lost_in_a_field_for_days(writer: Writer) -> None:
    writer.open("transition").fill({"word:transition.moves": ["upgrades_only"]})
    assert 'type="date"' in writer.visitor.get(writer.url).text
    writer.fill({"date:transition.until": ["2026-13-01"]}).fill({"date:transition.until": ["soon"]})
    assert 'type="date"' not in writer.visitor.get(writer.url).text
    writer.fill({})
    assert writer.document["transition"]["until"] == "soon"


# -- two people ------------------------------------------------------------------------------


def test_two_who_change_different_places_from_one_revision_both_win(
    writer: Writer, signed_in: SignedIn
) -> None:
    emil = other(signed_in).open("tiers", "silver")
    writer.open("tiers", "silver").fill({LIMIT: ["1500"]})

    emil.fill({"text:tiers[1].name.en": ["Argent"]})

    tier = emil.document["tiers"][1]
    assert (tier["entry"]["all"][0]["value"], tier["name"]["en"]) == (150000, "Argent")


@pytest.mark.parametrize(("choice", "kept"), [("mine", 170000), ("theirs", 150000)])
def test_of_two_limits_for_one_place_both_are_shown_and_one_is_chosen(
    writer: Writer, signed_in: SignedIn, choice: str, kept: int
) -> None:
    emil = other(signed_in).open("tiers", "silver")
    writer.open("tiers", "silver").fill({LIMIT: ["1500"]})
    fields: dict[str, Any] = {**emil.form.fields, LIMIT: "1700", "text:tiers[1].name.en": "Argent"}
    del fields["csrf_token"]

    answer = emil.visitor.post(emil.url, **fields)

    assert answer.status_code == 409
    assert "at least £1,500.00" in answer.text
    assert "at least £1,700.00" in answer.text
    form = Form()
    form.feed(answer.text)
    [path] = [each for each in form.fields if each.startswith("choice:")]
    assert path == "choice:tiers[silver].entry.all[0].value"
    again: dict[str, Any] = {**form.fields, path: choice}
    del again["csrf_token"]
    assert emil.visitor.post(emil.url, **again).status_code == 303
    tier = emil.document["tiers"][1]
    assert (tier["entry"]["all"][0]["value"], tier["name"]["en"]) == (kept, "Argent")


def test_ones_own_last_change_is_taken_back(writer: Writer, signed_in: SignedIn) -> None:
    writer.open("tiers", "silver").fill({LIMIT: ["1500"]})
    other(signed_in).open("tiers", "gold").fill({"text:tiers[2].name.en": ["Best"]})

    answer = writer.visitor.post("/drafts/2/undo", back="/drafts/2/tiers/silver")

    assert answer.location == "/drafts/2/tiers/silver"
    assert writer.document["tiers"][1]["entry"]["all"][0]["value"] == 100000
    assert writer.document["tiers"][2]["name"]["en"] == "Best"
    assert writer.visitor.post("/drafts/2/undo").status_code == 409


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("text:nothing[3].name", "x"),
        ("strange:name.en", "x"),
        ("shape-source:tiers", "strange"),
        ("op", "explode tiers[0]"),
        ("op", "remove tiers[99]"),
        ("op", "add name.en"),
        ("metric:tiers", "x"),
        ("op", "propose examples 0"),
        ("revision", "99"),
        ("revision", "x"),
    ],
)
def test_what_no_page_offers_is_refused_and_nothing_saved(
    writer: Writer, name: str, value: str
) -> None:
    fields: dict[str, Any] = {"revision": "1", name: value}
    assert writer.visitor.post("/drafts/2/tiers/silver", **fields).status_code == 404
    assert version(writer.visitor.company, 2).revision == 1


def test_a_version_that_is_no_draft_has_no_editor(writer: Writer) -> None:
    for url in ("/drafts/1/", "/drafts/1/tiers/", "/drafts/1/tiers/gold"):
        answer = writer.visitor.get(url)
        assert (answer.status_code, "is in force and cannot" in answer.text) == (409, True)
    assert writer.visitor.get("/drafts/2/nothing/").status_code == 404
    assert writer.visitor.get("/drafts/9/").status_code == 404


def test_a_draft_begins_from_a_file_and_no_file_is_said_so(writer: Writer) -> None:
    good = (BytesIO(EXAMPLE.read_bytes()), "policy.json")
    assert writer.visitor.post("/drafts/new", start="file", file=good).location == "/drafts/3/"
    for content in (b"", b"{", b"[1]"):
        file = (BytesIO(content), "policy.json")
        answer = writer.visitor.post("/drafts/new", start="file", file=file)
        assert (answer.status_code, 'id="problems"' in answer.text) == (422, True)
    assert writer.visitor.post("/drafts/new", start="strange").status_code == 404


def test_a_figure_whose_source_changes_becomes_of_the_kind_that_suits_it(writer: Writer) -> None:
    place = "metrics[0]"
    writer.open("figures", "revenue_12m").fill({f"word:{place}.source.aggregate": ["count"]})
    assert writer.document["metrics"][0]["type"] == "money"  # what is summed is named still
    writer.fill({f"column:{place}.source.of": [""]})
    assert writer.document["metrics"][0]["type"] == "count"
    writer.fill({f"shape-source:{place}.source": ["rank"]})
    found = writer.document["metrics"][0]
    assert (found["type"], found["unit"]) == ("decimal", "percent")


def test_every_problem_of_a_page_leads_to_something_on_it(writer: Writer) -> None:
    writer.open("tiers", "silver").press("node tiers[1].entry.all group")
    writer.fill({LIMIT: [""], "text:tiers[1].name.en": [""]})

    links = re.findall(r'<a href="#([^"]+)">', writer.visitor.get(writer.url).text)
    assert len(links) == 3
    assert {*links} <= writer.form.ids


@pytest.mark.parametrize("metrics", [5, [5], [{}], [{"key": 1}], [{"key": "a", "source": []}]])
def test_a_draft_is_editable_however_broken_it_is(writer: Writer, metrics: object) -> None:
    content = dumps({"metrics": metrics, "tiers": [{"key": "a"}, {"key": "a"}, 5], "letters": {}})
    file = (BytesIO(content.encode()), "policy.json")
    writer.visitor.post("/drafts/new", start="file", file=file)
    broken = Writer(writer.visitor, 3)
    for part in PARTS:
        broken.open(part)
    for place in (0, 1, 2):
        broken.open("tiers", str(place))
    broken.open("policy").fill({"text:key": ["mended"]})
    assert broken.document["key"] == "mended"


def test_a_letter_is_shown_as_it_would_read(writer: Writer) -> None:
    text = writer.visitor.get("/drafts/2/letters/notice").text
    assert "How it reads (uk)" in text
    assert "Dear Maria Kovalenko," in text
    assert "Your tier Platinum: how to keep it, until August 30, 2026" in text
    writer.open("letters", "notice").fill({"text:letters[0].subject.en": ["For $nobody"]})
    assert "Nothing stands for $nobody here" in writer.visitor.get(writer.url).text
