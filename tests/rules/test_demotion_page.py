"""What docs/demotion.md shows is so: its pieces of policies, its tables, its letters.

A comment before a piece says where in the page's policy it goes, and by which name its table has
it: ``<!-- demotion policy: deferred -->``, ``<!-- part of gold: warned -->``.  A table with a name
of its own says by whose piece it is: ``<!-- story: mended by both -->``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import chdir
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskCliRunner

from app import create_app
from app.config import Config
from rules.document.strict_json import dumps, loads
from tests.rules.builders import told

PAGE = Path(__file__).parents[2] / "docs" / "demotion.md"
TEXT = PAGE.read_text(encoding="utf-8")
PIECES = re.findall(r"<!-- ([a-z ]+): (\S+) -->\n```json\n(.*?)```", TEXT, re.DOTALL)
FILES = {name: text for kind, name, text in PIECES if kind == "file"}
CLUB: Any = loads(FILES["club.json"])


@dataclass(frozen=True, slots=True)
class Story:
    """A table of what happens to a client: its columns and rows, and by which pieces."""

    name: str
    pieces: str
    columns: tuple[str, ...]
    rows: tuple[str, ...]

    def __str__(self) -> str:
        """Name the story in the id of a test."""
        return self.name


def cells(row: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row.strip("|").split("|"))


STORIES = tuple(
    Story(name, pieces or name, cells(head), tuple(rows.splitlines()))
    for name, pieces, head, rows in re.findall(
        r"<!-- story: (\w+)(?: by (\w+))? -->\n(\|.*)\n\|[-|]+\n((?:\|.*\n)+)", TEXT
    )
)


def gold(document: Any) -> Any:
    [found] = [each for each in document["tiers"] if each["key"] == "gold"]
    return found


def put_in(document: Any, kind: str, piece: Any) -> None:
    """Put a piece where its kind belongs, as the page tells its reader to."""
    match kind:
        case "demotion policy":
            others = [each for each in document["demotion_policies"] if each["key"] != piece["key"]]
            document["demotion_policies"] = [*others, piece]
            gold(document)["demotion"] = piece["key"]
        case "tier":
            places = [each["key"] for each in document["tiers"]]
            document["tiers"][places.index(piece["key"])] = piece
        case "part of gold":
            gold(document).update(piece)
        case "standard":
            document["standards"] = [piece]
            document["tiers"][1]["standards"] = [piece["key"]]
        case _:
            document.update(piece)


def policy_of(name: str) -> Any:
    """Return the club's policy with the pieces of a name."""
    document = deepcopy(CLUB)
    for kind, named, text in PIECES:
        if named == name and kind not in ("measures", "file"):
            put_in(document, kind, loads(text))
    return document


def run(*arguments: str) -> str:
    runner: FlaskCliRunner = create_app(Config()).test_cli_runner()
    result = runner.invoke(args=arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def rehearsed(story: Story, folder: Path) -> list[str]:
    """Return the rows of a story as ``policy rehearse`` has them."""
    figures = [each for each in story.columns if each in ("revenue", "potential")]
    told_ = [dict(zip(story.columns, cells(row), strict=False)) for row in story.rows]
    sequence = {
        "steps": [
            {"date": row["date"], "facts": {each: cents(row[each]) for each in figures}}
            for row in told_
        ]
    }
    for kind, name, text in PIECES:
        if (kind, name) == ("measures", story.name):
            sequence |= json.loads(text)
    (folder / "policy.json").write_text(dumps(policy_of(story.pieces)), "utf-8")
    (folder / "client.json").write_text(json.dumps(sequence), "utf-8")
    output = run("policy", "rehearse", str(folder / "policy.json"), str(folder / "client.json"))
    lines = [json.loads(line) for line in output.splitlines()]
    return [
        f"| {' | '.join([row['date'], *(row[each] for each in figures), *shown(line)])} |"
        for row, line in zip(told_, lines, strict=True)
    ]


def cents(cell: str) -> int:
    return int(cell.replace(",", "")) * 100


SHORT: Mapping[str, str] = {"notice_given": "notice", "benefit_withdrawn": "withdrawn"}
"""Events that the page calls by another word."""


def shown(line: Any) -> list[str]:
    """Return how a client stands, as the page has it."""
    happened = [
        ": ".join([SHORT.get(each["event"], each["event"]), *each.get("benefits", ())])
        for each in line["events"]
    ]
    said = [line["tier"], line["state"], line["deadline"] or "–", "; ".join(happened) or "–"]
    return [each.replace("_", " ") for each in said]


@pytest.mark.parametrize("name", dict.fromkeys(name for kind, name, _ in PIECES if kind != "file"))
def test_each_piece_fits_the_policy_of_the_page(name: str) -> None:
    assert told(policy_of(name)) == ()


@pytest.mark.parametrize("story", STORIES, ids=str)
def test_what_happens_to_a_client_is_what_the_table_shows(story: Story, tmp_path: Path) -> None:
    assert rehearsed(story, tmp_path) == list(story.rows)


def test_every_piece_has_its_table_and_every_table_its_piece() -> None:
    pieces = {name for kind, name, _ in PIECES if kind not in ("file", "standard")}

    assert {each.pieces for each in STORIES} == pieces - {"transition"}
    assert len(re.findall(r"```json", TEXT)) == len(PIECES)
    assert TEXT.count("| deadline |") == len(STORIES)


def test_the_clubs_policy_tells_first_and_then_goes_step_by_step() -> None:
    assert policy_of("both") == policy_of("keep") == CLUB


def test_the_letters_are_those_that_the_command_prints(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, "utf-8")
    [(command, output)] = re.findall(
        r"```console\n\$ flask --app wsgi ([^\n]*)\n(.*?)```", TEXT, re.DOTALL
    )
    arguments = [each.strip('"') for each in re.findall(r'"[^"]*"|\S+', command)]

    with chdir(tmp_path):
        assert run(*arguments).rstrip() == output.rstrip()


def test_the_first_story_of_both_is_the_one_that_the_letters_tell() -> None:
    steps = json.loads(FILES["ann.json"])["steps"]
    [first] = [each for each in STORIES if each.name == "both"]

    assert [(each["date"], each["facts"]["revenue"]) for each in steps[1:]] == [
        (row[0], cents(row[1])) for row in map(cells, first.rows)
    ]


def test_what_is_read_back_is_what_the_command_says(tmp_path: Path) -> None:
    [(name, said)] = re.findall(r"<!-- said: (\S+) -->\n> (.*)\n", TEXT)
    path = tmp_path / "policy.json"
    path.write_text(dumps(policy_of(name)), "utf-8")

    assert said in run("policy", "show", str(path)).splitlines()


def test_every_link_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        path, _, anchor = target.partition("#")
        page = PAGE.parent / path if path else PAGE
        headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        plain = [re.sub(r"[^a-z0-9 _-]", "", each.lower()).replace(" ", "-") for each in headings]
        assert not anchor or anchor in plain, target


def test_the_year_adds_up() -> None:
    [section] = re.findall(r"\n\| month (.*?)\n\n", TEXT, re.DOTALL)
    _, _, *rows, sums = (cells(line)[1:] for line in section.splitlines())

    assert len(rows) == 12
    assert [int(each) for each in sums] == [
        sum(map(int, column)) for column in zip(*rows, strict=True)
    ]


def test_it_can_be_read_in_ten_minutes() -> None:
    prose = re.sub(r"```json\n.*?```|<!--[^>]*-->", "", TEXT, flags=re.DOTALL)
    words = [word for line in prose.splitlines() if line[:1] != "|" for word in line.split()]

    assert len(words) < 10 * 230
