"""Somebody who writes a draft with the editor's own forms: what no page offers, they cannot do."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from admin.editor.pages import PAGES
from admin.editor.values import Manner, write
from rules.document.merge import ABSENT
from rules.document.paths import get, has, parse, written
from tests.admin.visiting import Visitor
from tests.app.shelf import version

LATE = ("group", "metric", "operator", "type")
"""Fields that change what other fields there are."""


@dataclass
class Form(HTMLParser):
    """What stands in the form of a page: its fields in order, what may be chosen, its buttons."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    ops: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    _select: str = ""
    _area: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.ids.add(found.get("id", ""))
        name, value = found.get("name", ""), found.get("value", "")
        if tag == "select":
            self._select = name
            self.fields.setdefault(name, [])
        elif tag == "option":
            self.options.setdefault(self._select, []).append(value)
            if "selected" in found:
                self.fields[self._select] = [value]
        elif tag == "textarea":
            self._area = name
            self.fields[name] = [""]
        elif tag == "button" and name == "op":
            self.ops.append(value)
        elif tag == "input" and name:
            self._input(found.get("type", "text"), name, value, chosen="checked" in found)

    def _input(self, kind: str, name: str, value: str, *, chosen: bool) -> None:
        if kind in ("checkbox", "radio"):
            self.options.setdefault(name, []).append(value)
            self.fields.setdefault(name, [])
            if not chosen:
                return
        self.fields.setdefault(name, []).append(value)

    def handle_data(self, data: str) -> None:
        if self._area:
            self.fields[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.fields[self._area][0] = self.fields[self._area][0].removeprefix("\n")
            self._area = ""
        if tag == "select":
            self.fields[self._select] = self.fields[self._select] or self.options[self._select][:1]


@dataclass
class Writer:
    """An editor at the page of a draft."""

    visitor: Visitor
    number: int
    url: str = ""
    form: Form = field(default_factory=Form)
    posts: int = 0

    def open(self, part: str, ref: str | None = None) -> Writer:
        """Open a page of the draft."""
        self.url = f"/drafts/{self.number}/{part}/{ref or ''}"
        answer = self.visitor.get(self.url)
        assert answer.status_code == 200, (self.url, answer.status_code)
        return self._read(answer.text)

    def fill(self, fields: dict[str, list[str]], op: str = "", **new: str) -> Writer:
        """Fill in fields that are there, press a button that is there, and see the page again."""
        for name, values in fields.items():
            assert name in self.form.fields, (self.url, name)
            if name in self.form.options:
                several = name.startswith("choices:")
                wanted = {*values} - {""} if several else {*values}
                assert wanted <= {*self.form.options[name]}, (self.url, name, values)
        assert not op or op in self.form.ops, (self.url, op, self.form.ops)
        posted: dict[str, Any] = {**self.form.fields, **fields}
        posted |= {f"{each}:{op}": value for each, value in new.items()}
        del posted["csrf_token"]
        self.posts += 1
        answer = self.visitor.post(self.url, **posted, op=op)
        assert answer.status_code == 303, (self.url, answer.status_code, answer.text[-3000:])
        self.url = answer.location
        return self._read(self.visitor.get(self.url).text)

    def press(self, op: str, **new: str) -> Writer:
        return self.fill({}, op, **new)

    def _read(self, text: str) -> Writer:
        self.form = Form()
        self.form.feed(text)
        return self

    @property
    def document(self) -> Any:
        return version(self.visitor.company, self.number).document


def write_all(writer: Writer, target: Any) -> None:
    """Write a whole document with the editor's pages, from an empty ladder."""
    _fill_page(writer.open("policy"), target)
    for part, page in PAGES.items():
        if page.path:
            for entry in target.get(page.path, ()):
                writer.open(part)
                writer.press(f"add {page.path}", new=entry["name"]["en"], key=entry["key"])
    if "standard" not in [each["key"] for each in target["tiers"]]:
        writer.open("tiers").press("remove tiers[0]")
    for metric in target["metrics"]:
        place = f"metrics[{target['metrics'].index(metric)}]"
        writer.open("figures", metric["key"])
        if metric["type"] != "count":
            writer.fill({f"type:{place}": [metric["type"]]})
    for part, page in PAGES.items():
        for entry in target.get(page.path, ()) if page.path else ():
            _fill_page(writer.open(part, entry["key"]), target)
        if not page.path and part != "policy":
            _fill_page(writer.open(part), target)


def _fill_page(writer: Writer, target: Any) -> None:
    """Do on one page what is to be done until it says what the target does."""
    manner = Manner("en", target["currency"])
    for _ in range(200):
        if op := _superfluous(writer.form, target):
            writer.press(op)
            continue
        differing = _differing(writer.form, target, manner)
        if differing:
            writer.fill(differing)
            continue
        step = _next_op(writer.form, target, writer.document)
        if step is None:
            return
        writer.press(step[0], **step[1])
    raise AssertionError(f"{writer.url} is never done")


def _superfluous(form: Form, target: Any) -> str | None:
    """Return the button that removes what a list begins with and the target has not."""
    for op in reversed(form.ops):
        place = parse(op.removeprefix("remove ")) if op.startswith("remove ") else ()
        if place and isinstance(place[-1], int) and has(target, holder := written(place[:-1])):
            entries = get(target, holder)
            if isinstance(entries, list) and place[-1] >= len(entries):
                return op
    return None


def _differing(form: Form, target: Any, manner: Manner) -> dict[str, list[str]]:
    """Return fields that say something else than the target, up to one that changes others."""
    found: dict[str, list[str]] = {}
    for name, values in form.fields.items():
        kind, _, path = name.partition(":")
        if kind in ("new", "key", "as", "") or not path:
            continue
        wanted = _wanted(kind, path, target, manner)
        if wanted is not None and {*wanted} - {""} != {*values} - {""}:
            found[name] = wanted
            if kind in LATE or kind.startswith("shape-"):
                break
    return found


def _wanted(kind: str, path: str, target: Any, manner: Manner) -> list[str] | None:
    node: Any = get(target, path) if has(target, path) else ABSENT
    if kind in ("metric", "operator", "type"):
        return [node[kind]] if kind in node else None  # it becomes something else first
    if kind == "group":
        return [next(each for each in ("all", "any", "none", "of") if each in node)]
    if kind.startswith("shape-"):
        return [node.get("kind", "") if isinstance(node, dict) else ""]
    return write(kind, node, manner)


def _next_op(form: Form, target: Any, document: Any) -> tuple[str, dict[str, str]] | None:
    """Return the button that adds the next thing that the target has and the draft has not."""
    for op in form.ops:
        verb, _, rest = op.partition(" ")
        path, _, word = rest.partition(" ")
        if not has(target, path) or verb not in ("add", "node", "wrap"):
            continue
        wanted = get(target, path)
        present: Any = get(document, path) if has(document, path) else ABSENT
        if verb == "wrap":
            if "metric" in present and _sort(wanted) == "group":
                return op, {}
            continue
        if isinstance(wanted, list):
            count = len(present) if isinstance(present, list) else 0
            if count >= len(wanted):
                continue
            wanted = wanted[count]
        elif present is not ABSENT:
            continue
        if verb == "node" and word != _sort(wanted):
            continue
        if verb == "add" and word and word != wanted.get("kind"):
            continue
        named = isinstance(wanted, dict) and f"new:{op}" in form.fields
        return op, {"new": wanted["name"]["en"], "key": wanted["key"]} if named else {}
    return None


def _sort(node: Any) -> str:
    if "metric" in node:
        return "condition"
    return "tier" if "qualifies_for" in node else "group"
