"""What docs/policy-document.md says is so: its examples, its commands and its tables.

The page marks what is to be checked with a comment just before it: ``<!-- metric -->``,
``<!-- facts: FILE POLICY -->``, ``<!-- table: operators -->``.  Examples of parts are put
together to one policy; files are saved and commands run as a reader would.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any, get_args

import pytest
from flask.testing import FlaskCliRunner
from marshmallow import Schema

from app import create_app
from app.api.evaluations import AnswerSchema, ConditionSchema
from app.config import Config
from app.services.evaluations import QuestionSchema, read_question
from app.services.policies import LARGEST_DOCUMENT
from app.services.rehearsal import SequenceSchema, read_sequence
from app.services.tables import ACTIVITY_FIELDS
from rules.assessment import next_look
from rules.document import DEEPEST_DERIVATION, MOST_CONDITIONS, load
from rules.document.criteria import DEEPEST, WIDEST
from rules.document.fields import Whole
from rules.document.letters import LONGEST_BODY, LetterSchema
from rules.document.metrics import MetricSchema
from rules.document.schemas import (
    DemotionPolicySchema,
    ExampleSchema,
    PolicySchema,
    PromotionSchema,
    SegmentSchema,
    StandardSchema,
    TierSchema,
    TransitionSchema,
    YearDaysSchema,
)
from rules.document.sources import ActivitiesSchema, AttributeSchema, WeightedSumSchema
from rules.document.strict_json import digest, loads
from rules.examples import failures
from rules.facts import MOST_PLACES, exact_text, read, write_value
from rules.letters import ABOUT_AN_END, IN_SUBJECTS, PLACEHOLDERS, Occasion
from rules.measure import Activity, Client, Members, complete, measure
from rules.policy import Activities, Aggregate, Policy, Previous, Rolling, This, Window
from rules.prospects import State
from rules.rank import ranks
from rules.reference import Reference
from rules.standing import Cause, EventKind, Ground, Standing
from rules.validity import last_day
from rules.vocabulary import (
    EARLIEST_DAY,
    FIRST_BUSINESS_DATE,
    LARGEST,
    LAST_BUSINESS_DATE,
    LATEST_DAY,
    NUMERIC,
    OPERATORS,
    MetricType,
    Missing,
    Operator,
)
from rules.windows import Span, preceding, span
from tests.rules.builders import (
    LIFETIME,
    Document,
    activities,
    attribute,
    condition,
    metric,
    names,
    option,
    policy,
    policy_document,
    tier,
    told,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "policy-document.md"
EXAMPLES = ROOT / "examples"
TEXT = PAGE.read_text(encoding="utf-8")
TODAY = date(2026, 7, 1)
A_DAY = timedelta(days=1)


# -- reading the page --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, what its comment calls it, and its lines."""

    line: int
    language: str
    kind: str
    names: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        """Name the block in the id of a test."""
        return "-".join((f"line {self.line}", self.kind, *self.names))


_FENCED = re.compile(
    r"(?:^<!-- (?P<kind>[a-z ]+)(?:: (?P<names>[^>]+?))? -->\n)?"
    r"^```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
BLOCKS = tuple(
    Block(
        line=TEXT.count("\n", 0, match.start("language")) + 1,
        language=match["language"],
        kind=match["kind"] or match["language"],
        names=tuple((match["names"] or "").split()),
        text=match["text"],
    )
    for match in _FENCED.finditer(TEXT)
)


def blocks(*kinds: str) -> list[Block]:
    return [each for each in BLOCKS if each.kind in kinds]


def block_of(kind: str) -> Block:
    """Return the one block of a kind."""
    [found] = blocks(kind)
    return found


def each_block(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", blocks(*kinds), ids=str)


def saved() -> list[Block]:
    """Return the blocks that the page's reader saves to files."""
    return blocks(
        "document", "broken document", "facts", "wrong facts", "file", "program", "sequence"
    )


def table(name: str) -> list[list[str]]:
    """Return the cells of a marked table, without its head."""
    rows = TEXT.split(f"<!-- table: {name} -->\n")[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def each_row(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", table(name), ids=" ".join)


def quoted(cell: str) -> list[str]:
    """Return what a cell puts in backquotes."""
    return re.findall(r"`([^`]+)`", cell)


def first_words(name: str) -> list[str]:
    return [quoted(row[0])[0] for row in table(name)]


def written(cell: str) -> Any:
    """Return the JSON that a cell begins with, None for *none*."""
    return None if cell == "none" else loads(quoted(cell)[0])


def days(cell: str) -> Span:
    """Read ``2026-01-01 to 2026-01-31``."""
    first, _, last = cell.partition(" to ")
    return Span(date.fromisoformat(first), date.fromisoformat(last) + A_DAY)


# -- policies from its parts -------------------------------------------------------------------

LISTS = {
    "metric": "metrics",
    "tier": "tiers",
    "segment": "segments",
    "standard": "standards",
    "demotion policy": "demotion_policies",
    "letter": "letters",
    "example": "examples",
}
"""In which list of a document an example of a part belongs."""


def whole_document(**further: Sequence[Document]) -> Document:
    """Return the page's first policy with all its examples of parts, and some more."""
    document: Any = loads(blocks("document")[0].text)
    for kind, name in LISTS.items():
        found = [loads(each.text) for each in blocks(kind)]
        document[name] = [*document.get(name, ()), *found, *further.get(name, ())]
    single = {kind: loads(block_of(kind).text) for kind in ("promotion", "groups", "transition")}
    return {**document, **single}


def with_criteria(metrics: Sequence[Document], *criteria: Document) -> Document:
    """Return a policy with these metrics and a segment for each of these criteria."""
    segments = [
        {"key": f"s{index}", "name": names("Segment"), "criteria": each}
        for index, each in enumerate(criteria)
    ]
    return policy_document(metrics, segments=segments)


def is_valid(*metrics: Document) -> bool:
    return not told(policy_document(metrics))


# -- examples ----------------------------------------------------------------------------------


def test_every_block_of_json_is_checked() -> None:
    kinds = {each.kind for each in BLOCKS if each.language == "json"}
    answers = {"answer", "part of answer"}
    files = {"document", "facts", "broken document", "wrong facts"}

    sequences = {"sequence", "measures"}

    parts = {"criteria", "promise", "promotion", "groups", "transition"}

    assert kinds == {*LISTS, *answers, *files, *sequences, *parts}


@each_block("document")
def test_a_complete_document_is_a_policy(block: Block) -> None:
    assert told(loads(block.text)) == ()


def test_all_examples_of_parts_make_one_policy() -> None:
    assert told(whole_document()) == ()


@each_block("criteria")
def test_an_example_of_criteria_fits_the_metrics_of_the_page(block: Block) -> None:
    segment = {"key": "example", "name": names("Example"), "criteria": loads(block.text)}

    assert told(whole_document(segments=[segment])) == ()


@each_block("promise")
def test_an_example_of_a_promise_fits_a_standard(block: Block) -> None:
    standard = {"key": "example", "name": names("Example"), "answers": "manager"}

    assert told(whole_document(standards=[{**standard, "promise": loads(block.text)}])) == ()


def test_the_examples_of_examples_give_what_they_expect() -> None:
    whole = load(whole_document())

    assert whole.examples
    assert failures(whole, Reference(whole).judge) == ()


@each_block("facts")
def test_examples_of_facts_fit_their_policy(block: Block) -> None:
    _, document = block.names
    [found] = [load(loads(each.text)) for each in blocks("document") if each.names == (document,)]

    for line in block.text.splitlines():
        assert read_question(found, loads(line), TODAY)[1]


def test_an_example_of_measures_fits_the_sequence_of_the_page() -> None:
    sequence: Any = loads(block_of("sequence").text)
    measures = loads(block_of("measures").text)
    wholesale = load(loads((EXAMPLES / "wholesale.json").read_bytes()))

    found = read_sequence(wholesale, {**sequence, "measures": measures})

    assert len(found.steps) == 4
    assert [each.kind for each in found.measures] == ["hold", "floor"]


def test_every_file_is_named_where_the_reader_sees_it() -> None:
    for each in saved():
        assert f"`{each.names[0]}`" in TEXT


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 _-]", "", each.lower()).replace(" ", "-") for each in headings}

    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (PAGE.parent / target).is_file()


# -- commands ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with every file that the page tells its reader to save."""
    found = tmp_path_factory.mktemp("page")
    for each in saved():
        (found / each.names[0]).write_text(each.text, encoding="utf-8")
    copytree(EXAMPLES, found / "examples")
    return found


@pytest.fixture(scope="module")
def printed(folder: Path) -> list[tuple[str, str]]:
    """Run all commands in the order of the page; return each with what it printed."""
    runner = create_app(Config()).test_cli_runner()
    commands = [each.text.partition("\n")[0] for each in blocks("console")]
    with chdir(folder):
        return [(each, printed_by(runner, each)) for each in commands]


def printed_by(runner: FlaskCliRunner, command: str) -> str:
    """Return what a command prints, its progress left out."""
    match shlex.split(command):
        case ["$", "flask", "--app", "wsgi", *words]:
            result = runner.invoke(args=words)
            lines = [each.rstrip() for each in (result.stdout + result.stderr).splitlines()]
            return "".join(f"{each}\n" for each in lines if each not in ("", "Reading", "Judging"))
        case ["$", "python", *words]:
            return python(*words)
    raise ValueError(command)


def python(*words: str) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, check=True, text=True)
    return done.stdout


def test_every_command_prints_what_the_page_shows(printed: list[tuple[str, str]]) -> None:
    shown = [each.text.partition("\n") for each in blocks("console")]

    assert [(command, output) for command, _, output in shown] == printed


@pytest.mark.usefixtures("printed")
@each_block("answer", "part of answer")
def test_an_answer_is_the_one_the_commands_give(block: Block, folder: Path) -> None:
    file, *parts = block.names
    answer: Any = loads((folder / file).read_text(encoding="utf-8").splitlines()[0])
    for part in parts:
        answer = answer[part]

    assert loads(block.text) == answer


def test_the_program_computes_the_digest_of_whatever_a_policy_can_hold(folder: Path) -> None:
    known = condition("spend_12m", "is_known")
    strange = {"key": "strange", "name": names('\t"ü"\u2028\\/\n'), "criteria": known}
    document = whole_document(segments=[strange])
    (folder / "whole.json").write_text(json.dumps(document, default=float, indent=3), "utf-8")

    assert told(document) == ()
    assert python(str(folder / "digest.py"), str(folder / "whole.json")).strip() == digest(document)


# -- words of the format -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("parts", PolicySchema),
        ("metric", MetricSchema),
        ("activities", ActivitiesSchema),
        ("tier", TierSchema),
        ("promotion", PromotionSchema),
        ("transition", TransitionSchema),
        ("sequence", SequenceSchema),
        ("demotion", DemotionPolicySchema),
        ("letter", LetterSchema),
        ("example", ExampleSchema),
        ("question", QuestionSchema),
    ],
)
def test_a_table_of_parts_has_them_all_and_says_which_are_needed(
    name: str, schema: type[Schema]
) -> None:
    rows = {quoted(row[0])[0]: row[1] == "yes" for row in table(name)}

    assert rows == {field.data_key or key: field.required for key, field in schema().fields.items()}


@pytest.mark.parametrize(
    ("name", "schema"), [("answer", AnswerSchema), ("condition", ConditionSchema)]
)
def test_the_parts_of_an_answer_are_explained(name: str, schema: type[Schema]) -> None:
    assert {word for row in table(name) for word in quoted(row[0])} == set(schema().fields)


def test_the_columns_of_activities_are_explained() -> None:
    rows = [(each, row[1]) for row in table("columns") for each in quoted(row[0])]

    assert [each for each, _ in rows] == [*ACTIVITY_FIELDS, "attribute:…"]
    assert [each for each, needed in rows if needed == "yes"] == ["client", "date", "kind"]


def kinds(schema: type[Schema], field: str) -> Mapping[str, type[Schema]]:
    """Return the kinds of what a field can hold, or a list in it."""
    found: Any = schema().fields[field]
    shapes: Mapping[str, type[Schema]] = getattr(found, "inner", found).shapes
    return shapes


def test_every_source_has_an_example() -> None:
    examples = {each["source"]["kind"] for each in whole_document()["metrics"]}

    assert examples == set(kinds(MetricSchema, "source"))


def test_every_window_is_explained_and_has_an_example() -> None:
    examples = {written(row[0])["kind"] for row in [*table("windows"), *table("since")]}

    assert examples == set(kinds(ActivitiesSchema, "window"))
    assert examples == set(first_words("window kinds"))


def test_every_promise_is_explained_and_has_an_example() -> None:
    examples = {each["promise"]["kind"] for each in whole_document()["standards"]}
    examples |= {json.loads(each.text)["kind"] for each in blocks("promise")}

    assert examples == set(kinds(StandardSchema, "promise"))
    assert_parts_are_explained(table("promises"), kinds(StandardSchema, "promise"))


def test_every_step_of_a_demotion_is_explained_and_has_an_example() -> None:
    [example] = whole_document()["demotion_policies"]

    assert {each["kind"] for each in example["steps"]} == set(kinds(DemotionPolicySchema, "steps"))
    assert_parts_are_explained(table("steps"), kinds(DemotionPolicySchema, "steps"))


def test_every_name_in_letters_is_explained_and_where_it_may_stand() -> None:
    every = set(get_args(Occasion))
    rows = {quoted(row[0])[0]: row for row in table("names")}
    occasions = {
        name: every if row[2] == "all" else set(quoted(row[2])) for name, row in rows.items()
    }

    assert occasions == {name: set(where) for name, where in PLACEHOLDERS.items()}
    assert {name for name, row in rows.items() if "if a step demotes" in row[2]} == ABOUT_AN_END
    assert f"at most {LONGEST_BODY} characters" in table("letter")[2][2]
    section = TEXT.split("## Letters")[1].split("## Examples")[0]
    long = re.findall(r"`(\w+)`", section.split("They, ")[1].split(" cannot stand")[0])
    lines = re.findall(r"`(\w+)`", section.split("\n\n`rule`")[1].split(" come as")[0])
    assert {"rule", *lines, *long} == PLACEHOLDERS.keys() - IN_SUBJECTS


def test_every_validity_and_assessment_is_explained_and_has_an_example() -> None:
    validities = kinds(TierSchema, "validity")
    assessments = kinds(DemotionPolicySchema, "assessment")

    assert_parts_are_explained(table("validity kinds"), validities)
    assert_parts_are_explained(table("assessment kinds"), assessments)
    examples = {written(row[0])["kind"] for row in table("validities")}
    assert examples | {"until_assessment"} == set(validities)
    assert {written(row[0])["kind"] for row in table("assessments")} == set(assessments)


def assert_parts_are_explained(rows: list[list[str]], shapes: Mapping[str, type[Schema]]) -> None:
    """Assert that each row names the parts of its kind, and the page their words and bounds."""
    assert [quoted(row[0])[0] for row in rows] == list(shapes)
    for row in rows:
        parts: dict[str, Any] = dict(shapes[quoted(row[0])[0]]().fields)
        del parts["kind"]
        assert {word for word in quoted(row[2]) if word in parts} == set(parts)
        for key, part in parts.items():
            assert all(f"`{word}`" in TEXT for word in getattr(part, "words", ()))
            if isinstance(part, Whole):
                said = row[2] if f"`{key}`:" in row[2] else TEXT
                assert re.search(f"`{key}`(:| is) {part.least} to {part.most}\\b", said)


# -- limits ------------------------------------------------------------------------------------


def test_the_limits_are_these() -> None:
    rows = {row[0].replace("`", ""): (int(row[1]), int(row[2])) for row in table("limits")}

    assert rows == dict(limits())


def limits() -> Iterator[tuple[str, tuple[int, int]]]:
    def bounds(schema: type[Schema], field: str) -> tuple[int, int]:
        found: Any = schema().fields[field]
        return found.least, found.most

    for part in ("languages", *LISTS.values()):
        yield part, bounds(PolicySchema, part)
    yield "options of a metric", bounds(MetricSchema, "options")
    yield "kinds of activities of a metric", bounds(ActivitiesSchema, "kinds")
    yield "filters in one where", bounds(ActivitiesSchema, "where")
    yield "values in the list of one filter", (1, most(filter_with_values))
    yield "terms of a weighted sum", bounds(WeightedSumSchema, "terms")
    yield "metrics derived from each other in a row", (0, DEEPEST_DERIVATION)
    yield "benefits of a tier", bounds(TierSchema, "benefits")
    assert bounds(TierSchema, "standards") == bounds(SegmentSchema, "standards")
    yield "standards of a tier or segment", bounds(TierSchema, "standards")
    yield "steps of a demotion policy", bounds(DemotionPolicySchema, "steps")
    yield "days of assessment in a year", bounds(YearDaysSchema, "days")
    yield "parts of a group", (1, WIDEST)
    yield "groups within each other", (0, DEEPEST)
    yield "conditions, prerequisites and groups of the whole policy", (0, MOST_CONDITIONS)
    yield "good_for_days", bounds(AttributeSchema, "good_for_days")
    for unit in ("days", "weeks", "months", "years"):
        yield f"n of a rolling window in {unit}", (1, most(window_of_length("rolling", unit)))
    for unit in ("month", "quarter", "half_year", "year"):
        plural = unit.replace("_", "-") + "s"
        yield f"n of previous {plural}", (1, most(window_of_length("previous", unit)))


def filter_with_values(n: int) -> Document:
    products = [f"p{index}" for index in range(n)]
    return activities(
        "count", where=[{"field": "product", "operator": "one_of", "value": products}]
    )


def window_of_length(kind: str, unit: str) -> Callable[[int], Document]:
    return lambda n: activities("count", window={"kind": kind, "n": n, "unit": unit})


def most(source: Callable[[int], Document]) -> int:
    """Return the largest number for which a source is valid, found by halving."""
    least, beyond = 1, 100_000
    while beyond - least > 1:
        middle = (least + beyond) // 2
        if is_valid(metric("m", "count", source(middle))):
            least = middle
        else:
            beyond = middle
    return least


def test_the_bounds_in_the_text_are_the_codes() -> None:
    for bound in (
        f"{EARLIEST_DAY} to {LATEST_DAY}",
        f"{FIRST_BUSINESS_DATE} to {LAST_BUSINESS_DATE}",
        f"{LARGEST:,} of the metric's smallest steps",
        f"{LARGEST_DOCUMENT:,} bytes",
        f"more places than its `places`: up to {({12: 'twelve'})[MOST_PLACES]}",
    ):
        assert bound in TEXT


# -- types and operators -----------------------------------------------------------------------


def test_every_type_is_explained_by_a_value_it_takes() -> None:
    assert first_words("types") == list(MetricType)

    for row in table("types"):
        kind = quoted(row[0])[0]
        parts: Document = {"options": [option("hotel")]} if kind == "choice" else {}
        found = policy(metric("m", kind, **parts))
        assert read(found, {"m": written(row[3])})


def test_the_operators_of_every_type_are_the_codes() -> None:
    rows = table("operators")
    column = dict.fromkeys(NUMERIC, 1) | {
        MetricType.DATE: 2,
        MetricType.BOOLEAN: 3,
        MetricType.CHOICE: 4,
    }

    assert set(first_words("operators")) == set(Operator)
    assert {
        kind: {quoted(row[0])[0] for row in rows if row[column[kind]] == "yes"}
        for kind in MetricType
    } == {kind: set(operators) for kind, operators in OPERATORS.items()}


@each_row("filters")
def test_filters_take_these_fields_and_treat_absent_ones_so(row: list[str]) -> None:
    fields: tuple[tuple[str, Any], ...] = (
        ("product", "shop"),
        ("channel", "shop"),
        ("amount", 5),
        ("quantity", 5),
        ("attribute:own", 5),
    )
    cells = (row[1], row[1], row[2], row[2], row[3])
    for cell, (field, value) in zip(cells, fields, strict=True):
        where = {"field": field, "operator": quoted(row[0])[0]}
        one = metric("m", "count", activities("count", where=[where | {"value": value}]))
        several = metric("m", "count", activities("count", where=[where | {"value": [value]}]))
        a_list = row[4] == "a list"

        assert is_valid(one) is (cell == "yes" and not a_list)
        assert is_valid(several) is (cell == "yes" and a_list)
        if cell == "yes":
            client = Client(activities=[Activity("sale", TODAY)])
            found = measure(policy(several if a_list else one), client, TODAY)
            assert found["m"] == (row[5] == "counts")


# -- sources -----------------------------------------------------------------------------------


def test_every_aggregate_is_explained() -> None:
    assert set(first_words("aggregates")) == set(get_args(Aggregate))


@each_row("aggregates")
def test_aggregates_ask_for_of_and_come_to_this_over_nothing(row: list[str]) -> None:
    source = activities(quoted(row[0])[0], "attribute:own" if row[2] == "needed" else None)
    fitting = [each for kind in MetricType if is_valid(each := metric("m", kind, source))]

    assert fitting
    for each in fitting:
        found = measure(policy(each), Client(), TODAY).get("m")
        assert found == (0 if row[3] == "0" else None)


PLAIN = ("a_count", "a_decimal", "some_days")
NUMBERS = ("money", *PLAIN)


def extremes(of: str) -> list[Document]:
    return [activities(each, of) for each in ("sum", "minimum", "maximum")]


def history(aggregate: str) -> Document:
    return attribute("own", kind="attribute_history", aggregate=aggregate, window=LIFETIME)


def ratios(*pairs: tuple[str, str]) -> list[Document]:
    return [{"kind": "ratio", "numerator": over, "denominator": under} for over, under in pairs]


def weighted(*keys: str) -> list[Document]:
    return [{"kind": "weighted_sum", "terms": [{"metric": key, "weight": 1}]} for key in keys]


def changes(measured: str) -> list[Document]:
    return [{"kind": "change", "metric": key, "measured": measured} for key in NUMBERS]


def stood(measure_: str, **parts: Any) -> Document:
    return {"kind": "standing", "measure": measure_, **parts}


CALENDAR = ("distinct_products", "weeks_with", "months_with", "quarters_with")
SOURCES: Mapping[str, list[Document]] = {
    "attribute": [attribute("own")],
    "attribute_history, daily_average": [history("daily_average")],
    "attribute_history, minimum": [history("minimum")],
    "activities, sum, minimum or maximum of amount": extremes("amount"),
    "activities, sum, minimum or maximum of quantity": extremes("quantity"),
    "activities, sum, minimum or maximum of attribute:…": extremes("attribute:own"),
    "activities, average of amount": [activities("average", "amount")],
    "activities, average of quantity": [activities("average", "quantity")],
    "activities, average of attribute:…": [activities("average", "attribute:own")],
    "activities, count, distinct_products, weeks_with, months_with or quarters_with": [
        activities(each) for each in ("count", *CALENDAR)
    ],
    "activities, days_with": [activities("days_with")],
    "activities, days_since_last": [activities("days_since_last")],
    "activities, first_date or last_date": [activities("first_date"), activities("last_date")],
    "ratio of money to a number that is not money": ratios(*(("money", each) for each in PLAIN)),
    "any other ratio": ratios(
        ("money", "money"), *((over, under) for over in PLAIN for under in NUMBERS)
    ),
    "weighted_sum of money": weighted("money"),
    "weighted_sum of other numbers": weighted(*PLAIN),
    "change, difference": changes("difference"),
    "change, percent": changes("percent"),
    "days_since": [{"kind": "days_since", "metric": "a_date"}],
    "carry_over": [{"kind": "carry_over", "metric": key, "cap": 1} for key in NUMBERS],
    "standing, tier_held": [stood("tier_held")],
    "standing, years_at_or_above": [stood("years_at_or_above", tier="gold")],
    "standing, days_at_or_above, days_since_tier or days_since_ground": [
        stood("days_at_or_above", tier="gold"),
        stood("days_since_tier"),
        stood("days_since_ground"),
    ],
    "group": [{"kind": "group", "metric": key} for key in NUMBERS],
    "rank": [{"kind": "rank", "metric": key} for key in NUMBERS],
}
"""Sources by what the page calls them, made of the metrics in OTHERS."""

THIS_YEAR = {"kind": "this", "unit": "year"}
OTHERS = [
    *(
        metric(key, kind, activities("sum", f"attribute:{key}", window=THIS_YEAR))
        for key, kind in zip(NUMBERS, ("money", "count", "decimal", "days"), strict=True)
    ),
    metric("a_date", "date"),
]


def fitting_types(source: Document) -> set[str]:
    def fits(kind: MetricType) -> bool:
        percent = "percent" in source.values() or source["kind"] == "rank"
        unit = {"unit": "percent"} if percent and kind is MetricType.DECIMAL else {}
        fitted = metric("m", kind, source, **unit)
        if "tier_held" in source.values():
            fitted.pop("options", None)
        gold = tier("gold", entry=condition("money", "at_least", 1))
        return not told(policy_document([*OTHERS, fitted], [gold]))

    return {kind.value for kind in MetricType if fits(kind)}


def test_the_types_that_fit_a_source_are_the_codes() -> None:
    types = {each["key"]: {each["type"]} for each in OTHERS}
    rows = {row[0].replace("`", ""): row[1] for row in table("fits")}

    assert set(rows) == set(SOURCES)
    for label, cell in rows.items():
        for source in SOURCES[label]:
            same = cell == "the type of the metric named"
            expected = types[source["metric"]] if same else set(quoted(cell))
            assert (label, fitting_types(source)) == (label, expected)


def assert_value(found: Policy, key: str, facts: Mapping[str, Any], cell: str) -> None:
    _, _, fraction = cell.partition(", exactly ")

    assert write_value(found.metrics[key], facts.get(key)) == written(cell)
    assert exact_text(found.metrics[key], facts.get(key)) == (fraction or None)


@each_row("derived")
def test_derived_metrics_come_to_what_the_page_says(row: list[str]) -> None:
    whole = load(whole_document())
    facts = complete(whole, read(whole, written(row[1])), date.fromisoformat(row[2]))

    assert_value(whole, quoted(row[0])[0], facts, row[3])


@each_row("recorded")
def test_metrics_that_look_back_come_to_what_the_page_says(row: list[str]) -> None:
    whole = load(whole_document())
    recorded = [
        Activity("sale", date.fromisoformat(day), attributes={"points": int(number)})
        if points
        else Activity("sale", date.fromisoformat(day), int(number))
        for number, points, day in re.findall(r"(\d+)( points)? on (\S+)", row[1])
    ]
    facts = measure(whole, Client(activities=recorded), date.fromisoformat(row[2]))

    assert recorded
    assert_value(whole, quoted(row[0])[0], facts, row[3])


# -- standing, group, rank ---------------------------------------------------------------------

GOLD_TWICE = Standing(
    "gold",
    date(2024, 1, 1),
    date(2026, 2, 28),
    (
        Ground("gold", date(2024, 1, 1), date(2025, 6, 30), "earned"),
        Ground("gold", date(2025, 7, 1), date(2025, 8, 31), "grace"),
        Ground("gold", date(2025, 9, 1), None, "earned"),
    ),
)


def test_every_measure_of_a_standing_is_explained_and_has_an_example() -> None:
    words = getattr(kinds(MetricSchema, "source")["standing"]().fields["measure"], "words", ())

    assert tuple(first_words("standing measures")) == words
    assert {written(row[0])["measure"] for row in table("tenures")} == set(words)


@each_row("tenures")
def test_figures_of_a_standing_come_to_what_the_page_says(row: list[str]) -> None:
    types = {quoted(each[0])[0]: quoted(each[2])[0] for each in table("standing measures")}
    source: Any = written(row[0])
    figure = metric("figure", types[source["measure"]], source)
    if source["measure"] == "tier_held":
        del figure["options"]
    whole = load(whole_document(metrics=[figure]))
    facts = measure(whole, Client(), date.fromisoformat(row[1]), standing=GOLD_TWICE)

    assert_value(whole, "figure", facts, row[2])


@each_row("pooled")
def test_a_group_comes_to_what_the_page_says(row: list[str]) -> None:
    whole = load({**whole_document(), "groups": {"tier_goes_to": written(row[0])}})
    day = date.fromisoformat("2026-06-30")
    each = [Client(activities=[Activity("sale", day, int(n))]) for n in row[1].split(", ")]
    head, second, third = [*each, Client(), Client()][:3]
    for client, others, cell in ((head, [second, third], row[2]), (second, [head, third], row[3])):
        member = replace(client, group=Members(others, is_head=client is head))
        assert_value(whole, "group_spend", measure(whole, member, TODAY), cell)


@each_row("places")
def test_clients_have_the_places_that_the_page_says(row: list[str]) -> None:
    whole = load(whole_document())
    spent = [None if cell == "none" else int(cell) for cell in row[0].split(", ")]
    population = [(who, {} if n is None else {"spend_12m": n}) for who, n in enumerate(spent)]
    places = ranks(whole, population)["place_by_spend"]

    assert [str(places.get(who, "none")) for who, _ in population] == row[1].split(", ")


# -- windows -----------------------------------------------------------------------------------


@each_row("since")
def test_windows_since_the_standing_began_take_in_these_days(row: list[str]) -> None:
    grounds = (
        Ground("gold", date(2026, 1, 5), date(2026, 5, 31), "earned"),
        Ground("gold", date(2026, 6, 1), None, "grace"),
    )
    standing = Standing("gold", date(2026, 1, 5), date(2026, 6, 30), grounds)
    counted = activities("days_with", window=written(row[0]))
    whole = load(whole_document(metrics=[metric("counted", "days", counted)]))
    long_ago = date(2025, 1, 1)
    every_day = [Activity("sale", long_ago + n * A_DAY) for n in range(1000)]
    facts = measure(whole, Client(activities=every_day), date.fromisoformat(row[1]), None, standing)

    first, last = (date.fromisoformat(cell) for cell in row[2:])
    assert facts["counted"] == (last - first).days + 1


def window_of(cell: str) -> Window:
    found = policy(metric("m", "count", activities("count", window=written(cell))))
    source = found.metrics["m"].source
    assert isinstance(source, Activities)
    return source.window


@each_row("windows")
def test_windows_take_in_these_days(row: list[str]) -> None:
    found = span(window_of(row[0]), date.fromisoformat(row[1]))

    if row[2:] == ["none", "none"]:
        assert found.first == found.end
    else:
        first = None if row[2] == "–" else date.fromisoformat(row[2])
        assert found == Span(first, date.fromisoformat(row[3]) + A_DAY)


@each_row("preceding")
def test_changes_are_measured_against_these_days(row: list[str]) -> None:
    window, day = window_of(row[0]), date.fromisoformat(row[1])

    assert isinstance(window, Rolling | This | Previous)
    assert (span(window, day), preceding(window, day)) == (days(row[2]), days(row[3]))


# -- how tiers are held over time -----------------------------------------------------------------


def on(cell: str) -> date | None:
    return None if cell in {"none", "–"} else date.fromisoformat(cell)


@each_row("validities")
def test_a_tier_that_is_earned_is_held_until_this_day(row: list[str]) -> None:
    platinum = {**loads(block_of("tier").text), "validity": written(row[0])}  # type: ignore[dict-item]  # an object
    document = whole_document()
    without_warning = [{**document["demotion_policies"][0], "steps": [{"kind": "notice"}]}]
    tiers = [*document["tiers"][:-1], platinum]
    found = load({**document, "tiers": tiers, "demotion_policies": without_warning})

    assert last_day(found.tiers[-1].validity, date.fromisoformat(row[1]), None) == on(row[2])


@each_row("assessments")
def test_a_policy_next_looks_on_this_day(row: list[str]) -> None:
    found = load({**whole_document(), "promotion": {"assessment": written(row[0])}})

    assert found.promotion.assessment is not None
    assert next_look(found.promotion.assessment, date.fromisoformat(row[2]), on(row[1])) == on(
        row[3]
    )


@pytest.mark.usefixtures("printed")
def test_the_parts_of_a_rehearsal_are_explained() -> None:
    [shown] = [each.text.splitlines()[1:] for each in blocks("console") if "rehearse" in each.text]
    steps = [json.loads(line) for line in shown]

    assert all(list(step) == first_words("rehearsed") for step in steps)
    section = TEXT.split("### Rehearsing a policy")[1].split("## Errors")[0]
    for word in (*get_args(EventKind), *get_args(Cause), *get_args(State)):
        assert f"`{word}`" in section


# -- missing values and outcomes ---------------------------------------------------------------

OUTCOMES = {"met": True, "not met": False, "unknown": None}
BOOLEANS = ("a", "b", "c")
IS_TRUE = [condition(key, "is", True) for key in BOOLEANS]


def outcomes(document: Document, facts: Mapping[str, bool]) -> list[bool | None]:
    """Return what the criteria of each segment come to."""
    found = load(document)
    verdict = Reference(found).judge(facts)
    return [verdict.outcomes[root.place] for root in found.roots]


def outcomes_of(criteria: Sequence[Document], cells: Sequence[str]) -> list[bool | None]:
    """Return what criteria come to where the conditions in IS_TRUE come out as cells say."""
    known = {key: OUTCOMES[cell] for key, cell in zip(BOOLEANS, cells, strict=False)}
    facts = {key: value for key, value in known.items() if value is not None}
    return outcomes(with_criteria([metric(key, "boolean") for key in BOOLEANS], *criteria), facts)


def test_every_meaning_of_missing_is_explained() -> None:
    assert first_words("missing") == list(Missing)


@each_row("missing")
def test_conditions_without_a_value_come_to_what_the_page_says(row: list[str]) -> None:
    document = with_criteria(
        [metric("m", "count", missing=quoted(row[0])[0])],
        condition("m", "at_least", 1),
        condition("m", "at_most", 5),
        condition("m", "is_known"),
        condition("m", "is_not_known"),
    )

    assert outcomes(document, {}) == [OUTCOMES[cell] for cell in row[1:]]


@each_row("logic")
def test_groups_carry_the_unknown_on_as_the_page_says(row: list[str]) -> None:
    groups = [{word: IS_TRUE[:2]} for word in ("all", "any", "none")]

    for cells in (row[:2], row[1::-1]):
        assert outcomes_of(groups, cells) == [OUTCOMES[cell] for cell in row[2:]]


@each_row("two of three")
def test_two_of_three_carry_the_unknown_on_as_the_page_says(row: list[str]) -> None:
    group = {"at_least": 2, "of": IS_TRUE}

    assert outcomes_of([group], row[0].split(", ")) == [OUTCOMES[row[1]]]
