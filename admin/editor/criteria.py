"""Criteria as rows of figure, operator and value, in groups within groups."""

from __future__ import annotations

from typing import Any

from admin.editor.changes import group_word
from admin.editor.desk import Desk
from admin.editor.items import Actions, Box, Button, Field, Item, Note, Row
from admin.editor.labels import BETWEEN_PARTS, GROUPS, OPERATORS
from rules.document.merge import ABSENT
from rules.messages import Message
from rules.vocabulary import KNOWNESS, MetricType, Operator
from rules.vocabulary import OPERATORS as FITTING

_CONDITION, _GROUP = Message("Add a condition"), Message("Add a group")
_TIER = Message("Add the criteria of a lower tier")


def criteria(desk: Desk, path: str, about: object, below: tuple[str, ...] = ()) -> list[Item]:
    """Return the fields of criteria, or the buttons with which they begin.

    :param below: the keys of the tiers whose criteria may be asked for, too.
    """
    node = desk.get(path)
    if node is ABSENT:
        return [_adders(path, about, below)]
    items: list[Item] = [_node(desk, path, node, about, below)]
    if not _is_group(node):
        items.append(_adders(path, about, below))
    return items


def _adders(path: str, about: object, below: tuple[str, ...]) -> Actions:
    return Actions(
        [
            Button(f"node {path} condition", _CONDITION, about),
            Button(f"node {path} group", _GROUP, about),
            *([Button(f"node {path} tier", _TIER, about)] if below else []),
        ]
    )


def _is_group(node: object) -> bool:
    return isinstance(node, dict) and any(
        isinstance(node.get(each), list) for each in ("all", "any", "none", "of")
    )


def _node(desk: Desk, path: str, node: Any, about: object, below: tuple[str, ...]) -> Item:
    if _is_group(node):
        return _group(desk, path, node, about, below)
    remove = Button(f"remove {path}", Message("Remove"), _place(path), grave=True)
    wrap = Button(f"wrap {path}", Message("Make it a group"), _place(path))
    if isinstance(node, dict) and "qualifies_for" in node:
        tiers = [each for each in desk.keyed("tiers") if each[0] in below]
        row = Row(
            [
                desk.select(
                    f"{path}.qualifies_for",
                    Message("The criteria of"),
                    [("", ""), *tiers],
                    hint="",
                ),
                Actions([wrap, remove]),
            ]
        )
        return desk.box("", [row], path, inner=True)
    fields = _condition(desk, path, node if isinstance(node, dict) else {})
    return desk.box("", [Row([*fields, Actions([wrap, remove])])], path, inner=True)


def _place(path: str) -> Message:
    return Message("condition %(path)s", path=path)


def _condition(desk: Desk, path: str, node: dict[str, Any]) -> list[Item]:
    metric = desk.metric(node.get("metric"))
    kind = (metric or {}).get("type")
    operators = FITTING[MetricType(kind)] if kind in set(MetricType) else tuple(Operator)
    operator = node.get("operator")
    fields: list[Item] = [
        _renamed(
            desk.field("word", f"{path}.metric", Message("Figure"), options=desk.metrics()),
            "metric",
            path,
        ),
        _renamed(
            desk.field(
                "word",
                f"{path}.operator",
                Message("How it is compared"),
                options={each: OPERATORS[each] for each in operators},
            ),
            "operator",
            path,
        ),
    ]
    if operator in KNOWNESS:
        return fields
    label = Message("With what")
    value = f"{path}.value"
    if operator in (Operator.ONE_OF, Operator.NONE_OF) and metric is not None:
        return [*fields, desk.field("choices", value, label, options=desk.options_of(metric))]
    pair = operator == Operator.BETWEEN
    return [*fields, desk.valued(metric, value, label, pair=pair, short=True)]


def _renamed(field: Field, kind: str, node: str) -> Field:
    """Return a field whose change is one of the whole condition."""
    field.kind, field.node = kind, node
    return field


def _group(desk: Desk, path: str, node: dict[str, Any], about: object, below: Any) -> Box:
    word = group_word(node)
    head = desk.field("group", path, Message("It holds if"), options=GROUPS, value=word, short=True)
    items: list[Item] = []
    if word == "of":
        count = desk.field("whole", f"{path}.at_least", Message("How many"), short=True)
        items.append(Row([head, count]))
    else:
        items.append(Row([head]))
    parts = node[word]
    for index, part in enumerate(parts):
        if index:
            items.append(Note(Message(BETWEEN_PARTS[word]), "joint"))
        items.append(_node(desk, f"{path}.{word}[{index}]", part, about, below))
    buttons: list[Item] = list(_adders(f"{path}.{word}", about, below).items)
    is_part = path.endswith("]")
    if is_part or len(parts) == 1:
        buttons.append(Button(f"unwrap {path}", Message("Take the group away, keep its parts")))
    buttons.append(Button(f"remove {path}", Message("Remove the group"), about, grave=True))
    return desk.box("", [*items, Actions(buttons)], path, inner=True)
