"""Pages call services: none but the lists of records asks the database, and none writes to it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import admin

MODULES = sorted(Path(admin.__file__).parent.rglob("*.py"))
NAMES = {"Session", "OperationalError"}
"""What a page may take from SQLAlchemy: the type of what services are given, and an error."""

VERBS = {"add", "add_all", "begin", "commit", "delete", "execute", "flush", "merge", "scalars"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(MODULES[0].parent)))
def test_no_page_talks_to_the_database_by_itself(path: Path) -> None:
    if path.name == "records.py":
        return
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy"):
            found += [each.name for each in node.names if each.name not in NAMES]
        if isinstance(node, ast.Attribute) and node.attr in VERBS:
            owner = node.value
            if isinstance(owner, ast.Attribute):
                owner = ast.Name(owner.attr)
            if isinstance(owner, ast.Name) and owner.id in {"session", "reading", "writing"}:
                found.append(f"{owner.id}.{node.attr}")

    assert found == []
