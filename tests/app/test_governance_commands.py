"""The commands ``policy``, ``user`` and ``key``, and that no path into force goes by the gate."""

from __future__ import annotations

import ast
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from app import create_app
from app.config import Config
from app.services.errors import Invalid
from app.services.keys import parse
from app.services.limits import MOST
from app.services.local_time import read_instant
from rules.document.strict_json import digest, dumps, loads
from tests.app.asking import ROOT, served
from tests.app.commands import Run, commands_of, refused, said
from tests.app.company import Company, email
from tests.app.shelf import document, everything, states, version


@pytest.fixture
def run(new_company: Company, monkeypatch: pytest.MonkeyPatch) -> Run:
    return commands_of(new_company, monkeypatch)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[object], Path]:
    """Write a document into a file."""

    def write(content: object) -> Path:
        path = tmp_path / "policy.json"
        path.write_text(dumps(content), encoding="utf-8")
        return path

    return write


File = Callable[[object], Path]


# -- policy ----------------------------------------------------------------------------------


def test_a_policy_is_brought_into_force_by_commands(
    run: Run, file: File, new_company: Company
) -> None:
    first, second = digest(document()), digest(document(2000))
    draft = ("policy", "draft", file(document()))
    assert said(run(*draft, by="edith")) == "Version 1 is a draft, at revision 1."
    save = ("policy", "save", 1, file(document(2000)), "--revision", 1)
    assert said(run(*save, by="emil")) == "Version 1 is a draft, at revision 2."
    submit = ("policy", "submit", 1, "--reason", "Silver is too easy.")
    assert said(run(*submit, by="edith")) == f"Version 1 is in review; its digest is {second}."
    approve = ("policy", "approve", 1, "--comment", "Read and tried.", "--digest")
    refused(run(*approve, first, by="paul"), f"has the digest {second}; read it again")
    assert said(run(*approve, second, by="paul")) == "Version 1 is approved."
    schedule = ("policy", "schedule", 1, "--comment", "After lunch.", "--at")
    assert said(run(*schedule, "2026-07-01T14:00", by="petra")) == (
        "Version 1 is scheduled for 2026-07-01 14:00:00+01:00."
    )
    assert said(run("policy", "publish-due")) == "Nothing is due."
    new_company.clock.advance(hours=1)
    assert said(run("policy", "publish-due")) == "Version 1 is in force."
    assert said(run("policy", "list")) == (
        f"   1  in force    2026-07-01 14:00:00+01:00    2  {second}"
    )


@pytest.mark.parametrize(
    ("verb", "state", "words"),
    [
        ("request-changes", "draft", "Version 1 is a draft again."),
        ("reject", "rejected", "Version 1 is rejected."),
        ("withdraw", "withdrawn", "Version 1 is withdrawn."),
    ],
)
def test_a_policy_comes_to_another_end(
    run: Run, file: File, new_company: Company, verb: str, state: str, words: str
) -> None:
    run("policy", "draft", file(document()), by="edith")
    run("policy", "submit", 1, "--reason", "Why.", by="edith")
    seen = () if verb == "withdraw" else ("--digest", digest(document()))

    assert said(run("policy", verb, 1, *seen, "--comment", "No.", by="paul")) == words
    assert states(new_company) == {1: state}


def test_what_is_held_is_told_with_its_reason_and_an_exit_status(
    run: Run, file: File, new_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    new_company.publish(document())
    run("policy", "draft", file(document(2000)), "--based-on", 1, by="edith")
    run("policy", "submit", 2, "--reason", "Why.", by="edith")
    seen = ("--digest", digest(document(2000)), "--comment", "Good.")
    run("policy", "approve", 2, *seen, by="paul")
    run("policy", "schedule", 2, "--at", "now", "--comment", "Now.", by="paul")
    monkeypatch.setattr(sys, "executable", "/bin/false")  # the engine's trial dies

    result = run("policy", "publish-due")

    assert result.exit_code == 1
    first, second = result.stdout.splitlines()
    assert first == "Version 2 is held:"
    assert "did not survive a trial" in second
    assert "did not survive a trial" in said(run("policy", "list"))
    assert states(new_company) == {1: "in_force", 2: "held"}


def test_an_exported_document_is_imported_as_a_draft(
    run: Run, new_company: Company, tmp_path: Path
) -> None:
    number = new_company.publish(document())
    path = tmp_path / "exported.json"
    run("policy", "export", number, "--output", path)

    assert path.read_bytes() == run("policy", "export", number).stdout_bytes
    assert digest(loads(path.read_bytes())) == version(new_company, number).digest
    assert said(run("policy", "import", path, by="edith")) == "Version 2 is a draft, at revision 1."
    assert version(new_company, 2).document == document()


def test_what_is_refused_is_said_in_a_sentence_and_changes_nothing(
    run: Run, file: File, new_company: Company
) -> None:
    run("policy", "draft", file({**document(), "currency": "EUR"}), by="edith")
    untouched = everything(new_company)
    broken = file(document()).with_name("broken.json")
    broken.write_text("{", encoding="utf-8")

    for args, by, words in (
        (("draft", file(document())), "paul", "takes the role editor, which you do not have"),
        (("approve", 1, "--digest", "x", "--comment", "x"), "edith", "takes the role approver"),
        (("withdraw", 1, "--comment", "x"), "anna", "takes the role editor or approver"),
        (("submit", 1, "--reason", "x"), "edith", "currency: must be GBP"),
        (("submit", 1, "--reason", " "), "edith", "reason: is missing"),
        (("submit", 9, "--reason", "x"), "edith", "There is no version 9"),
        (("save", 1, file({}), "--revision", 3), "emil", "since you began from revision 3"),
        (("approve", 1, "--digest", "x", "--comment", "x"), "paul", "Version 1 is a draft; this"),
        (("draft", broken), "edith", "This is not JSON"),
        (("draft", "missing.json"), "edith", "cannot be read"),
        (("submit", 1), "edith", "Missing option '--reason'"),
        (("export", 9), None, "There is no version 9"),
        (("export", 10**12), None, "not in the range"),
    ):
        refused(run("policy", *args, by=by), words)
    assert everything(new_company) == untouched


# -- local time ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01T09:00", "2026-07-01T08:00:00+00:00"),
        ("2026-01-01 09:00:30", "2026-01-01T09:00:30+00:00"),
        ("2026-07-01T09:00+02:00", "2026-07-01T07:00:00+00:00"),
        ("2026-10-25T01:30+01:00", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T01:30Z", "2026-10-25T01:30:00+00:00"),
    ],
)
def test_local_time_is_read_as_the_company_s_clocks_show_it(text: str, instant: str) -> None:
    assert read_instant("at", text, "Europe/London") == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "2026-03-29T01:30",
            "at: never comes in Europe/London: write 2026-03-29T00:30:00+00:00 or "
            "2026-03-29T02:30:00+01:00",
        ),
        (
            "2026-10-25T01:30",
            "at: comes twice in Europe/London: write 2026-10-25T01:30:00+01:00 or "
            "2026-10-25T01:30:00+00:00",
        ),
        ("tomorrow", "at: must be a date and time such as 2026-10-01T09:00"),
        ("0001-01-01T00:00+14:00", "at: must be a date and time such as 2026-10-01T09:00"),
    ],
)
def test_a_time_that_is_none_or_two_is_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_instant("at", text, "Europe/London")

    assert str(refused.value) == words
    for each in re.findall(r"(\S+) or (\S+)$", words)[:1]:
        assert all(read_instant("at", one, "Europe/London") for one in each)


# -- who acts --------------------------------------------------------------------------------


def test_a_password_is_asked_for_without_showing_it(
    new_company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MERIT_PASSWORD", raising=False)
    runner = served(new_company).test_cli_runner()
    password = new_company.passwords["anna"]
    args = ["user", "ask", email("olga"), "manager", "--reason", "x", "--as", email("anna")]

    result = runner.invoke(args=args, input=f"{password}\n")

    assert (result.exit_code, result.stdout) == (
        0,
        "From now on olga@example.com has the role manager.\n",
    )
    assert "Password of anna@example.com" in result.stderr
    assert password not in result.output


def test_a_wrong_password_is_refused_and_counted(run: Run) -> None:
    ask = ("user", "ask", email("olga"), "manager", "--reason", "x")
    for _ in range(MOST):
        refused(run(*ask, by="anna", MERIT_PASSWORD="wrong"), "There is no such account, or")
    refused(run(*ask, by="anna"), "Too many attempts; try again in 300 seconds")


# -- user and key ----------------------------------------------------------------------------


def test_accounts_are_managed_by_commands(run: Run, new_company: Company) -> None:
    nils = email("nils")
    first = said(run("user", "add", nils, "--name", "Nils", by="anna"))
    password = re.fullmatch(rf"The password of {nils} is (\S{{16}})", first)
    assert password is not None
    new_company.passwords["nils"] = password[1]
    refused(run("user", "add", nils, "--name", "Nils", by="anna"), "There is an account for")
    ask = ("user", "ask", nils, "editor", "--reason", "Hired.")
    refused(run(*ask, by="edith"), "takes the role administrator")
    assert said(run(*ask, by="anna")) == (
        f"Another administrator has to grant {nils} the role editor."
    )
    assert re.search(rf"{nils} +Nils +editor \(asked for\)", said(run("user", "list")))
    grant = ("user", "grant", nils, "editor")
    refused(run(*grant, by="anna"), "Another administrator has to grant this")
    assert said(run(*grant, by="ben")) == f"From now on {nils} has the role editor."
    chosen = "my own one, long"
    changed = run("user", "password", nils, by="nils", MERIT_NEW_PASSWORD=chosen)
    assert said(changed) == "The password is changed."
    new_company.passwords["nils"] = chosen
    again = said(run("user", "password", nils, by="ben"))
    assert re.search(rf"{nils} +Nils +editor \(asked for\)", said(run("user", "list")))
    new_company.passwords["nils"] = again.rsplit(" ", maxsplit=1)[-1]
    assert said(run("user", "end", nils, "editor", by="anna")) == (
        f"From now on {nils} does not have the role editor."
    )
    assert re.search(rf"{nils} +Nils +-", said(run("user", "list")))


def test_a_key_is_printed_once_by_itself(run: Run) -> None:
    scopes = ("--scope", "standing:read", "--scope", "policy:read")
    create = ("key", "create", "--name", "desk", *scopes, "--days", 30)
    refused(run(*create, by="edith"), "takes the role administrator")

    result = run(*create, by="anna")
    found = parse(result.stdout.rstrip("\n"))

    assert found is not None
    assert result.stderr == (
        f"The key {found[0]} is good until July 31, 2026. It is shown only now:\n"
    )
    assert re.search(
        rf"{found[0]}  good +until 2026-07-31  last used never +desk +policy:read standing:read",
        said(run("key", "list")),
    )
    successor = run("key", "rotate", found[0], "--overlap-days", 0, by="ben")
    second = parse(successor.stdout.rstrip("\n"))
    assert second is not None
    assert said(run("key", "revoke", second[0], by="anna")) == (
        f"The key {second[0]} is good no more."
    )
    listed = said(run("key", "list"))
    assert re.search(rf"{second[0]}  revoked", listed)
    assert re.search(rf"{found[0]}  over", listed)
    assert found[1] not in listed
    refused(run("key", "revoke", "0" * 12, by="anna"), "There is no key 0")


def test_commands_on_a_database_without_tables_say_what_to_do(tmp_path: Path) -> None:
    app = create_app(Config(f"sqlite:///{tmp_path / 'empty.db'}"))
    for args in (["policy", "list"], ["user", "list"], ["key", "list"], ["policy", "publish-due"]):
        refused(app.test_cli_runner().invoke(args=args), "flask database upgrade")


# -- the paths into force --------------------------------------------------------------------

GATE = "app/services/governance.py"
SOURCES = sorted([*(ROOT / "app").rglob("*.py"), *(ROOT / "admin").rglob("*.py"), ROOT / "wsgi.py"])
WRITING = re.compile(
    r"(?i)(update|insert\s+(or\s+\w+\s+)?into|replace\s+into|delete\s+from)\s+\"?policy_"
)
GOVERNED = {"state", "digest", "document", "in_force_from", "scheduled_for"}


def functions(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """Yield what stands in a source with the function around it, outermost first."""

    def walk(node: ast.AST, around: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inside = child.name if isinstance(child, ast.FunctionDef) and not around else around
            yield inside, child
            yield from walk(child, inside)

    where = path.relative_to(ROOT).as_posix()
    for name, node in walk(ast.parse(path.read_text(encoding="utf-8")), ""):
        yield f"{where}:{name}", node


def called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def callers(*names: str) -> set[str]:
    return {where for path in SOURCES for where, node in functions(path) if called(node) in names}


def test_only_the_gate_writes_versions_of_the_policy() -> None:
    writes: set[str] = set()
    for path in SOURCES:
        for where, node in functions(path):
            about = "PolicyVersion" in ast.dump(node) if isinstance(node, ast.Call) else False
            first = called(node) in {"insert", "update", "delete", "merge", "bulk_save_objects"}
            made = called(node) == "PolicyVersion"
            if made or (first and about and _names_version(node)):
                writes.add(where)
    assert writes == {f"{GATE}:draft", f"{GATE}:_move"}


def _names_version(node: ast.AST) -> bool:
    given = node.args if isinstance(node, ast.Call) else []
    return any(isinstance(each, ast.Name) and each.id == "PolicyVersion" for each in given)


def test_no_statement_in_text_and_no_attribute_writes_a_version() -> None:
    for path in SOURCES:
        speaks = "PolicyVersion" in path.read_text(encoding="utf-8")
        for where, node in functions(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not WRITING.search(node.value), where
            if speaks:
                assert called(node) not in {"setattr", "update_mappings"}, where
            if speaks and isinstance(node, ast.Attribute):
                assert node.attr != "__table__", where
                stored = isinstance(node.ctx, ast.Store) and node.attr in GOVERNED
                assert not stored, where


def test_the_paths_into_force_are_these() -> None:
    published = {
        where
        for path in SOURCES
        for where, node in functions(path)
        if called(node) == "_move" and "'published'" in ast.dump(node)
    }
    assert published == {f"{GATE}:_publish"}
    assert callers("_publish") == {f"{GATE}:publish_due"}
    assert {each.partition(":")[0] for each in callers("_move")} == {GATE}
    assert callers("publish_due") <= {
        "app/cli/governance.py:publish_due",
        "app/cli/worker.py:_turn",
        "app/services/demo/filling.py:_publish",
    }


def test_what_commands_do_goes_through_the_gate(run: Run, file: File, new_company: Company) -> None:
    written: list[str] = []

    def watch(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if re.match(r'(INSERT INTO|UPDATE|DELETE FROM) "?policy_versions', statement):
            stack = reversed(traceback.extract_stack())
            gate = [each.name for each in stack if each.filename == str(ROOT / GATE)]
            written.append(gate[0] if gate else statement)

    event.listen(new_company.merit.database.engine, "before_cursor_execute", watch)
    test_a_policy_is_brought_into_force_by_commands(run, file, new_company)

    assert written == ["draft", "_move", "_move", "_move", "_move", "_move"]


def test_no_route_changes_a_version(new_company: Company) -> None:
    new_company.publish(document())
    app: Flask = served(new_company)
    untouched = everything(new_company)[:3]
    tried = 0
    for rule in app.url_map.iter_rules():
        address = re.sub(r"<[^>]+>", "1", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            app.test_client().open(address, method=method, json=document())
            tried += method != "GET"
    assert tried > 2
    assert everything(new_company)[:3] == untouched
