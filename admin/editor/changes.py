"""What a posted form does to a document: its fields first, then what was done to the structure.

A field is named ``KIND:PATH``.  The document is the one that the form was made from, so that
every path in it means what its reader saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from admin.editor.blanks import SHAPES, added, new_key, reshaped, types_for
from admin.editor.proposed import proposed
from admin.editor.values import KINDS, Manner, fits, read, write
from app.services.errors import NotThere
from app.services.starts import ready_letter
from rules.document.merge import ABSENT, same
from rules.document.paths import (
    NoSuchPlace,
    get,
    has,
    insert,
    move,
    parse,
    put,
    remove,
    written,
)
from rules.vocabulary import KNOWNESS, OPERATORS, MetricType, Operator

Document = Any
GROUPS = ("all", "any", "none", "of")


@dataclass(frozen=True, slots=True)
class Posted:
    """A form as it was sent: fields by kind and path with what was typed, and one operation.

    ``new_name`` and ``new_key`` are those of what is added.
    """

    fields: tuple[tuple[str, str, tuple[str, ...]], ...]
    op: str
    new_name: str
    new_key: str
    manner: Manner
    day: date

    def __call__(self, document: Document) -> Document:
        """Return the document with all that was posted.

        :raises NotThere: for a field or an operation that no page of the editor has.
        """
        try:
            before = document
            for kind, path, typed in sorted(self.fields, key=_turn):
                document = self._set(document, kind, path, typed)
            document = _fitted(before, document)
            if self.op:
                verb, _, rest = self.op.partition(" ")
                path, _, word = rest.partition(" ")
                document = _OPERATIONS[verb](self, document, path, word)
        except (LookupError, AttributeError, TypeError, ValueError) as error:
            raise NotThere("There is no such field: %(field)s.", field=str(error)) from error
        return document

    def _set(self, document: Document, kind: str, path: str, typed: tuple[str, ...]) -> Any:
        if kind in _REMAKE:
            return _REMAKE[kind](document, path, typed[-1])
        if kind.startswith("shape-"):
            return _reshape(document, kind.removeprefix("shape-"), path, typed[-1])
        plain = kind.removeprefix("pair-").removesuffix("?")
        if plain not in KINDS and kind != "choices":
            raise NoSuchPlace(f"{kind}:{path}")
        before = get(document, path) if has(document, path) else ABSENT
        said = [each.replace("\r\n", "\n") for each in typed]
        shown = write(kind, before, self.manner)
        if said == shown or (kind == "choices" and {*said} - {""} == {*shown}):
            return document
        value = read(kind, said, self.manner)
        return without(document, path) if value is ABSENT else put_deep(document, path, value)

    # -- what is added ---------------------------------------------------------------------------

    def key_in(self, document: Document, path: str) -> str:
        """Return the key that what is added to a list gets."""
        entries = get(document, path) if has(document, path) else []
        taken = [each.get("key", "") for each in entries if isinstance(each, dict)]
        return self.new_key.strip() or new_key(self.new_name.strip(), taken)

    def add(self, document: Document, path: str, word: str) -> Document:
        """Add an entry to a list, which may not be there yet."""
        key = self.key_in(document, path)
        languages = document.get("languages") or ["en"]
        name = str(parse(path)[-1])
        entry = added(name, self.new_name.strip(), key, languages[0], self.day)
        if name == "steps":
            entry = reshaped("step", word or "notice", {})
        if name == "letters":
            entry = {"key": key, **ready_letter(word, languages)}
        return append(document, path, entry)


def append(document: Document, path: str, entry: Any) -> Document:
    """Return a document with one more entry at the end of a list."""
    entries = get(document, path) if has(document, path) else []
    if not isinstance(entries, list):
        raise NoSuchPlace(path)
    return put_deep(document, path, [*entries, entry])


def put_deep(document: Any, path: str, value: Any) -> Any:
    """Set the value at a path; the objects that would hold it are made."""
    place = parse(path)
    for end in range(1, len(place)):
        if isinstance(place[end], str) and not has(document, written(place[:end])):
            document = put(document, written(place[:end]), {})
    return put(document, path, value)


_STAYS = ("facts", "metrics", "tiers")


def without(document: Any, path: str) -> Any:
    """Return a document without what stands at a path, nor what would be empty without it."""
    if not has(document, path):
        return document
    document = remove(document, path)
    above = parse(path)[:-1]
    if above and above[-1] not in _STAYS and get(document, written(above)) in ({}, []):
        return without(document, written(above))
    return document


# -- fields that make one thing into another ---------------------------------------------------


def _reshape(document: Document, sort: str, path: str, kind: str) -> Document:
    former = get(document, path) if has(document, path) else None
    current = former.get("kind") if isinstance(former, dict) else ""
    if kind == (current or ""):
        return document
    if not kind:
        return without(document, path)
    if kind not in SHAPES[sort]:
        raise NoSuchPlace(f"{sort} {kind}")
    return put_deep(document, path, reshaped(sort, kind, former))


def _regroup(document: Document, path: str, word: str) -> Document:
    node = get(document, path)
    parts = node[group_word(node)]
    if word == group_word(node):
        return document
    if word == "of":
        return put(document, path, {"at_least": 1, "of": parts})
    if word not in GROUPS:
        raise NoSuchPlace(word)
    return put(document, path, {word: parts})


def group_word(node: Any) -> str:
    """Return the name under which a group has its parts."""
    return next(word for word in GROUPS if word in node)


def _set_metric(document: Document, path: str, key: str) -> Document:
    node = get(document, path)
    if node.get("metric") == key or not key:
        return document
    kind = type_of(document, key)
    operators = OPERATORS[kind] if kind else ()
    operator = node.get("operator")
    made = {"metric": key, "operator": operator}
    if operator not in operators and operators:
        made["operator"] = operators[0].value
    same_sort = (operator == Operator.BETWEEN) == (made["operator"] == Operator.BETWEEN)
    value = node.get("value", ABSENT)
    options = kind is MetricType.CHOICE
    if kind and same_sort and not options and _fit(kind, value):
        made["value"] = value
    return put(document, path, made)


def _fit(kind: MetricType, value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(fits(kind, each) for each in values)


def type_of(document: Document, key: object) -> MetricType | None:
    """Return the type of the metric of this key, if it has one."""
    for metric in document.get("metrics") or ():
        if isinstance(metric, dict) and metric.get("key") == key:
            kind = metric.get("type")
            return MetricType(kind) if kind in set(MetricType) else None
    return None


def _fitted(before: Document, document: Document) -> Document:
    """Give figures whose source became another the type that it has, if theirs does not suit it."""
    former = {each["key"]: each for each in _metrics(before)}
    for metric in _metrics(document):
        was, source = former.get(metric["key"], {}).get("source"), metric["source"]
        if was is None or same(was, source):
            continue
        place = f"metrics[{metric['key']}]"
        fitting = types_for(source, _types(document))
        if fitting and fitting != types_for(was, _types(before)) and metric["type"] not in fitting:
            document = _set_type(document, place, fitting[0])
        if source.get("kind") == "rank" or source.get("measured") == "percent":
            document = put(document, f"{place}.unit", "percent")
    return document


def _metrics(document: Document) -> list[Any]:
    """Return the metrics of a document that are whole enough to be looked at."""
    found = document.get("metrics")
    return [
        each
        for each in (found if isinstance(found, list) else ())
        if isinstance(each, dict)
        and isinstance(each.get("key"), str)
        and isinstance(each.get("type"), str)
        and isinstance(each.get("source"), dict)
    ]


def _types(document: Document) -> dict[str, str]:
    return {each["key"]: each["type"] for each in _metrics(document)}


def _set_operator(document: Document, path: str, operator: str) -> Document:
    node = get(document, path)
    if node.get("operator") == operator or not operator:
        return document
    made = {**node, "operator": operator}
    value = made.pop("value", ABSENT)
    if operator not in KNOWNESS and value is not ABSENT:
        several = operator in (Operator.ONE_OF, Operator.NONE_OF, Operator.BETWEEN)
        was_several = isinstance(value, list)
        made["value"] = value if several == was_several else [value] if several else value[0]
    return put(document, path, made)


def _set_type(document: Document, path: str, kind: str) -> Document:
    metric = get(document, path)
    if metric.get("type") == kind or kind not in set(MetricType):
        return document
    kept = {name: value for name, value in metric.items() if name not in _OF_TYPE}
    more: Document = {}
    if kind == MetricType.DECIMAL:
        more = {"places": 2}
    if kind == MetricType.CHOICE and metric.get("source", {}).get("measure") != "tier_held":
        more = {"options": []}
    return put(document, path, {**kept, "type": kind, **more})


_OF_TYPE = ("places", "unit", "options")

_REMAKE: dict[str, Callable[[Document, str, str], Document]] = {
    "group": _regroup,
    "metric": _set_metric,
    "operator": _set_operator,
    "type": _set_type,
}


def _turn(field: tuple[str, str, tuple[str, ...]]) -> int:
    """Order fields: what makes one thing into another comes last, and what is within first."""
    kind, path, _ = field
    is_late = kind in _REMAKE or kind.startswith("shape-")
    return 1000 - len(parse(path)) if is_late else 0


# -- operations --------------------------------------------------------------------------------


def _add_node(_: Posted, document: Document, path: str, word: str) -> Document:
    """Add a condition, a group or a prerequisite to criteria, or begin them with it."""
    node = dict(_blank_nodes(document))[word]
    if not has(document, path):
        return put_deep(document, path, node)
    found = get(document, path)
    if isinstance(found, list):
        return put(document, path, [*found, node])
    return put(document, path, {"all": [found, node]})


def _blank_nodes(document: Document) -> Iterator[tuple[str, Document]]:
    metrics = document.get("metrics") or [{}]
    key = metrics[0].get("key", "")
    kind = type_of(document, key)
    condition = {"metric": key, "operator": OPERATORS[kind][0].value if kind else "at_least"}
    yield "condition", condition
    yield "group", {"any": []}
    yield "tier", {"qualifies_for": ""}


def _remove(_: Posted, document: Document, path: str, __: str) -> Document:
    get(document, path)  # or there is nothing to remove
    return without(document, path)


def _unwrap(_: Posted, document: Document, path: str, __: str) -> Document:
    """Put the parts of a group in its place."""
    node = get(document, path)
    parts = node[group_word(node)]
    if len(parts) == 1:
        return put(document, path, parts[0])
    place = parse(path)
    document = remove(document, path)
    for index, part in enumerate(parts):
        document = insert(document, written((*place[:-1], int(place[-1]) + index)), part)
    return document


def _propose(posted: Posted, document: Document, path: str, word: str) -> Document:
    """Keep an example that was proposed."""
    return append(document, path, proposed(document, posted.day)[word])


_OPERATIONS: dict[str, Callable[[Posted, Document, str, str], Document]] = {
    "add": Posted.add,
    "propose": _propose,
    "node": _add_node,
    "remove": _remove,
    "up": lambda _, document, path, __: move(document, path, -1),
    "down": lambda _, document, path, __: move(document, path, 1),
    "wrap": lambda _, document, path, __: put(document, path, {"all": [get(document, path)]}),
    "unwrap": _unwrap,
}
