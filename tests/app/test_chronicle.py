"""The history is told in sentences, to those who may read it, of what they ask for."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any, get_args

import pytest
from sqlalchemy import select

from app.models import HistoryEntry
from app.services import measures, people
from app.services.authority import Actor
from app.services.chronicle import AT_ONCE, PEOPLE, Page, Told, Wanted, export, read
from app.services.errors import Conflict, Invalid, NotAllowed, NotThere
from app.services.governance import Verdict, withdraw
from app.services.groups import Membered, put_group
from app.services.imports import StatedRow, state_clients
from app.services.installation import is_public
from app.services.notices import Channel, mark_sent
from app.services.verbs import KINDS, SENTENCES, verbs_about
from app.words import Words
from tests.app import granting
from tests.app.commands import commands_of, refused, said
from tests.app.company import Company
from tests.app.correspondence import issued
from tests.app.granting import asked, erase, every_phase, given
from tests.app.shelf import document as policy
from tests.app.shelf import drafted, saved, stocked, submitted
from tests.app.test_verification import busy

ROOT = Path(__file__).resolve().parents[2]
VERB = re.compile(r"[a-z]+\.[a-z_]+")

COMPOSED = {
    "policy.{}": get_args(Verdict),
    "measure.{}": get_args(measures.State),
}
"""Verbs put together from a word and a state: all that they can be."""


def verbs_in(tree: ast.AST) -> Iterator[str]:
    """Yield what can be a verb among the texts of a program."""
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if VERB.fullmatch(text):
                yield text
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), ast.FormattedValue()]):
                yield text + "{}"


def entry_verbs() -> set[str]:
    """Return the verbs of every entry that the program makes."""
    found = set()
    for path in (ROOT / "app").rglob("*.py"):
        for text in verbs_in(ast.parse(path.read_text())):
            if text in COMPOSED:
                stem = text.removesuffix("{}")
                found |= {stem + each for each in COMPOSED[text]}
            elif text.partition(".")[0] in {each.partition(".")[0] for each in SENTENCES}:
                found.add(text)
    return found


def test_every_verb_has_a_sentence_and_every_sentence_a_verb() -> None:
    unspoken = {"clients.id", "policy.json"}  # a column, and a file
    assert set(SENTENCES) == entry_verbs() - unspoken


def test_every_first_argument_of_an_entry_is_known() -> None:
    """A verb of a new kind would not be found by the kinds of those that there are."""
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="Entry"), args=[ast.Constant(value=verb), *_]):
                    assert verb in SENTENCES, (path, verb)
                case ast.Call(func=ast.Name(id="Entry"), args=[ast.JoinedStr() as joined, *_]):
                    [composed] = verbs_in(joined)
                    assert composed in COMPOSED, (path, composed)


def test_every_verb_is_about_one_kind_of_thing() -> None:
    kinds = [kind for kind in KINDS for _ in verbs_about(kind)]
    assert sorted(verb for kind in KINDS for verb in verbs_about(kind)) == sorted(SENTENCES)
    assert len(kinds) == len(SENTENCES)


# -- reading -----------------------------------------------------------------------------------


def page(company: Company, by: str = "olga", before: int | None = None, **wanted: Any) -> Page:
    with company.merit.database.reading() as session:
        which = Wanted(**wanted)
        return read(session, company.merit.rulebook, company.actor(by), which, before)


def told(company: Company, **wanted: Any) -> list[str]:
    return [Words().sentence(each.sentence) for each in page(company, **wanted).entries]


def whole(company: Company, **wanted: Any) -> list[Told]:
    """Return all entries, page by page."""
    found, before = list[Told](), None
    while True:
        each = page(company, before=before, **wanted)
        found += each.entries
        before = each.before
        if before is None:
            return found


def stated_often(company: Company) -> None:
    for number in range(AT_ONCE):
        granting.client(company, f"N-{number}")


def test_all_is_told_page_by_page_the_newest_first(company: Company) -> None:
    busy(company)
    every_phase(company)
    stated_often(company)
    found = whole(company)

    with company.merit.database.reading() as session:
        sequences = session.execute(select(HistoryEntry.sequence)).scalars().all()
    assert [each.sequence for each in found] == sorted(sequences, reverse=True)
    assert len(found) > AT_ONCE == len(page(company).entries)
    for each in found:
        assert "%" not in Words().sentence(each.sentence)


def test_a_version_of_the_policy_is_told_with_who_and_why(
    new_company: Company,
) -> None:
    company, number = new_company, submitted(new_company, policy(4000))
    assert told(company, object=f"policy:{number}") == [
        f"Edith submitted version {number} of the policy for review.",
        f"Edith began version {number} of the policy.",
    ]
    [first, _] = page(company, object=f"policy:{number}").entries
    assert first.note == "Because."
    assert first.about == ("policy", str(number))


def test_times_are_those_of_the_company(company: Company) -> None:
    company.clock.now = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    drafted(company)
    [newest, *_] = page(company).entries
    assert newest.at.isoformat() == "2026-07-02T00:30:00+01:00"
    assert newest in page(company, first=date(2026, 7, 2)).entries
    assert newest not in page(company, last=date(2026, 7, 1)).entries


def test_what_is_said_of_a_client_is_found_by_their_reference(company: Company) -> None:
    busy(company)
    number = asked(company)
    granting.granted(company, number)
    found = told(company, client="C-17")
    assert found == [
        "Paul granted a hold on the tier held for client C-17, July 1, 2026 to July 31, 2026.",
        "Max asked for a hold on the tier held for client C-17, July 1, 2026 to July 31, 2026.",
        "By version 1, client C-17 is served as Silver on July 1, 2026.",
        "The key “till” recorded activities (2).",
        "The key “till” recorded activities (4).",
        "The key “till” stated what is known of client C-17.",
    ]
    notes = [each.note for each in page(company, client="C-17").entries]
    assert notes[:2] == ["It was on the news.", "A flood."]
    assert page(company, client="C-17").entries[0].about == ("client", "C-17")


def test_what_says_something_of_several_is_found_for_each_of_them(company: Company) -> None:
    rows = [StatedRow(each, date(2026, 7, 1), "Maria", None, {}) for each in ("C-17", "C-18")]
    with company.merit.acting(Actor("key:till")) as act:
        state_clients(act, rows)
    granting.client(company, "C-19")
    day = date(2026, 7, 1)
    for members in (("C-17", "C-18"), ("C-18",), ("C-18", "C-19")):
        with company.merit.acting(Actor("key:till")) as act:
            put_group(act, "G-1", Membered(members), day)
    verbs = {each: [one.verb for one in whole(company, client=each)] for each in REFERENCES}
    assert verbs == {
        "C-17": ["group.changed", "group.founded", "clients.imported"],
        "C-18": ["group.founded", "clients.imported"],
        "C-19": ["group.changed", "client.stated"],
    }


REFERENCES = ("C-17", "C-18", "C-19")


def test_a_letter_that_was_sent_is_found_by_its_client(company: Company) -> None:
    granting.client(company)
    number = issued(company)
    with company.merit.acting(company.actor("max")) as act:
        mark_sent(act, number, Channel.POST)
    found = told(company, client="C-17")
    assert found[0] == "Max sent a letter to client C-17 by post."
    assert f"Letters were written ({number})." in found


def test_of_who_was_erased_it_says_so(company: Company) -> None:
    busy(company)
    given(company)
    erase(company)
    found = page(company, client="C-17").entries
    sentences = [Words().sentence(each.sentence) for each in found]
    assert "a client who has been erased" in sentences[0]
    assert found[0].note == "What was written with it has been erased."
    assert found[0].about is None
    assert not [each for each in sentences if "C-17" in each]


def test_what_people_did_is_told_apart_from_what_the_service_did(company: Company) -> None:
    busy(company)
    found = page(company, actor=PEOPLE).entries
    assert found
    assert not [each for each in found if str(each.who) == "the service"]
    assert len(whole(company, actor=PEOPLE)) < len(whole(company))


def test_it_is_filtered_by_who_and_what(company: Company) -> None:
    number = drafted(company)
    saved(company, number, policy(2), 1, by="emil")
    emil = company.actor("emil").name
    assert told(company, actor=emil) == [f"Emil saved version {number} of the policy, revision 2."]
    assert {each.verb for each in whole(company, what="policy.saved")} == {"policy.saved"}
    assert {each.verb.partition(".")[0] for each in whole(company, what="role")} == {"role"}
    assert told(company, what="policy.saved", actor=company.actor("max").name) == []


def test_days_are_found_though_entries_overtook_each_other(company: Company) -> None:
    """An entry may have begun before one that stands before it in the sequence."""
    later, now = company.clock.now + timedelta(days=1), company.clock.now
    for at in (later, later - timedelta(minutes=59), later + timedelta(days=1)):
        company.clock.now = at
        drafted(company)
    first = (later - timedelta(minutes=59)).date()
    found = whole(company, first=first, last=first)
    assert len(found) == 2
    assert not whole(company, first=later.date() + timedelta(days=2))
    assert not whole(company, last=now.date() - timedelta(days=1))
    assert whole(company, last=date.max) == whole(company)


def test_unknown_clients_and_verbs_are_refused(company: Company) -> None:
    with pytest.raises(NotThere):
        page(company, client="C-99")
    with pytest.raises(Invalid, match="nothing that is recorded"):
        page(company, what="policies.burnt")
    assert not page(company, object="policy:99").entries


@pytest.mark.parametrize("who", ["anna", "edith", "paul", "max"])
def test_only_auditors_read_all_of_it(company: Company, who: str) -> None:
    granting.client(company)
    with pytest.raises(NotAllowed):
        page(company, who)
    with pytest.raises(NotAllowed):
        page(company, who, object="person:1")
    assert page(company, who, object="policy:1").entries
    if who == "anna":
        with pytest.raises(NotAllowed):
            page(company, who, client="C-17")
    else:
        assert page(company, who, client="C-17").entries


def test_all_that_people_do_with_a_policy_is_told(new_company: Company) -> None:
    stocked(new_company)
    found = {each.verb for each in whole(new_company, what="policy")}
    assert found == {f"policy.{each}" for each in POLICY_VERBS}
    for each in whole(new_company):
        assert "%" not in Words().sentence(each.sentence)


POLICY_VERBS = (
    *("drafted", "submitted", "approved", "rejected", "withdrawn"),
    *("scheduled", "held", "published", "superseded"),
)


# -- exporting ---------------------------------------------------------------------------------


def test_the_export_has_every_entry_and_no_formula(company: Company) -> None:
    number = drafted(company)
    with company.merit.acting(company.actor("edith")) as act:
        withdraw(act, number, "=HYPERLINK(1)")
    with company.merit.database.reading() as session:
        rulebook, olga = company.merit.rulebook, company.actor("olga")
        content = export(session, rulebook, olga, Wanted(what="policy"), Words())
        with pytest.raises(NotAllowed):
            export(session, rulebook, company.actor("max"), Wanted(), Words())
    header, first, *rest = csv.reader(StringIO(content.decode("utf-8-sig")))
    assert header == ["Number", "Time", "Who", "Verb", "What happened", "Reason"]
    assert first[1:] == [
        "2026-07-01T13:00:00+01:00",
        "Edith",
        "policy.withdrawn",
        f"Edith withdrew version {number} of the policy.",
        "'=HYPERLINK(1)",
    ]
    assert len(rest) + 1 == len(whole(company, what="policy"))


# -- the public page's switch ------------------------------------------------------------------


def test_an_administrator_switches_the_public_page(company: Company) -> None:
    def public() -> bool:
        with company.merit.database.reading() as session:
            return is_public(session)

    assert not public()
    for shown in (True, False):
        with company.merit.acting(company.actor("anna")) as act:
            people.show_public_page(act, shown)
        assert public() is shown
        with pytest.raises(Conflict), company.merit.acting(company.actor("anna")) as act:
            people.show_public_page(act, shown)
    with pytest.raises(NotAllowed), company.merit.acting(company.actor("paul")) as act:
        people.show_public_page(act, True)


def test_commands_switch_it_too(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    run = commands_of(company, monkeypatch)
    shown = said(run("public-page", "show", by="anna"))
    assert shown == "Everybody can read about the programme at /programme now."
    refused(run("public-page", "show", by="anna"), "shown already")
    refused(run("public-page", "hide", by="max"), "role administrator")
    assert said(run("public-page", "hide", by="ben")) == "The public page is hidden."
    refused(run("public-page", "hide", by="ben"), "hidden already")
