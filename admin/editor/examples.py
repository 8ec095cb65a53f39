"""Examples kept with a draft: who they are, what they should get, and more at every limit."""

from __future__ import annotations

from typing import Any

from admin.editor.desk import Desk
from admin.editor.items import Actions, Button, Item, Note, Row
from admin.editor.proposed import proposed
from rules.document import DocumentInvalid, load
from rules.messages import Message
from rules.policy import Policy
from rules.sentences import Named, tier_given


def example(desk: Desk, path: str) -> list[Item]:
    """Return the fields of one example."""
    undetermined = ("?", Message("it cannot be told"))
    facts: list[Item] = [
        desk.valued(
            metric,
            f"{path}.facts.{metric['key']}",
            desk.name(metric),
            unknown=True,
            short=True,
        )
        for metric in desk.entries("metrics")
        if isinstance(metric, dict) and isinstance(metric.get("key"), str)
    ]
    return [
        desk.names(f"{path}.name", Message("Who it is")),
        Row(
            [
                desk.field("date", f"{path}.date", Message("On which day")),
                desk.field(
                    "word?",
                    f"{path}.tier",
                    Message("What the rules should give"),
                    options=[("", ""), *desk.keyed("tiers"), undetermined],
                ),
            ]
        ),
        desk.box(
            Message("Figures"),
            [Row(facts)] if facts else [Note(Message("Nothing is measured yet."))],
            f"{path}.facts",
            hint=Message("Leave out what follows from others; write ? for what is not known."),
        ),
    ]


def proposals_of(desk: Desk) -> list[Item]:
    """Return examples at the limits of the draft, each with the button that keeps it."""
    policy = _whole(desk.document)
    if policy is None:
        return [Note(Message("Once nothing is wrong, examples at each limit are proposed here."))]
    items: list[Item] = []
    for key, found in proposed(desk.document, desk.day).items():
        name = Named(found["name"])
        gives = Message("gives %(tier)s", tier=tier_given(policy, found["tier"]))
        line = Message("%(name)s: %(gives)s.", name=name, gives=gives)
        keep = Button(f"propose examples {key}", Message("Keep it"), name)
        items.append(Row([Note(line, "grow"), Actions([keep])]))
    return items or [Note(Message("Every limit has its examples."))]


def _whole(document: Any) -> Policy | None:
    try:
        return load(document)
    except DocumentInvalid:
        return None
