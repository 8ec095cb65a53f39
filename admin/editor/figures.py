"""What is measured, as a sentence to be filled in: the *sum* of *amount* of *orders*."""

from __future__ import annotations

from typing import Any

from admin.editor import labels
from admin.editor.desk import Desk, named_entries
from admin.editor.items import Item, Row
from rules.document.merge import ABSENT
from rules.messages import N_, Message
from rules.vocabulary import NUMERIC, MetricType

_DATES = (MetricType.DATE,)


def figure(desk: Desk, path: str) -> list[Item]:
    """Return the fields of one metric."""
    metric = desk.get(path)
    key = metric.get("key") if isinstance(metric, dict) else None
    source = f"{path}.source"
    return [
        desk.names(f"{path}.name", Message("Name")),
        desk.box(
            Message("What is measured"),
            [
                desk.shape("source", source, Message("Where it comes from"), labels.SOURCES),
                *_source(desk, source, str(key)),
            ],
            source,
            inner=True,
        ),
        desk.box(Message("What kind of figure it is"), _type(desk, path), inner=True),
        desk.select(
            f"{path}.missing", Message("Where there is nothing to measure"), labels.MISSING
        ),
    ]


def _type(desk: Desk, path: str) -> list[Item]:
    kind = desk.get(f"{path}.type")
    field = desk.select(f"{path}.type", Message("Kind"), labels.TYPES)
    field.kind, field.node = "type", path
    items: list[Item] = [field]
    if kind == MetricType.DECIMAL:
        items += [
            desk.field("whole", f"{path}.places", Message("Decimal places"), short=True),
            desk.select(
                f"{path}.unit",
                Message("Unit"),
                {"": N_("none"), "percent": N_("percent")},
            ),
        ]
    if kind == MetricType.CHOICE and desk.get(f"{path}.options") is not ABSENT:
        options = named_entries(
            desk,
            f"{path}.options",
            Message("Option"),
            Message("Name of another option"),
            Message("Add the option"),
        )
        items.append(desk.box(Message("Options"), options, inner=True))
    return items


def _source(desk: Desk, path: str, key: str) -> list[Item]:
    source = desk.get(path)
    kind = source.get("kind") if isinstance(source, dict) else None
    numbers = [each for each in desk.metrics(*NUMERIC) if each[0] != key]
    match kind:
        case "activities":
            return _activities(desk, path)
        case "attribute":
            return [Row([_attribute(desk, path), _good_for(desk, path)])]
        case "attribute_history":
            how = desk.select(
                f"{path}.aggregate", Message("What is taken"), labels.HISTORY_AGGREGATES
            )
            return [Row([how, _attribute(desk, path)]), *window(desk, f"{path}.window")]
        case "ratio":
            return [
                Row(
                    [
                        desk.select(f"{path}.numerator", Message("This"), _none(numbers)),
                        desk.select(f"{path}.denominator", Message("divided by"), _none(numbers)),
                    ]
                )
            ]
        case "weighted_sum":
            return [
                *desk.list_of(
                    f"{path}.terms",
                    N_("Figure"),
                    Message("Add a figure"),
                    lambda place: _term(desk, place, numbers),
                )
            ]
        case "standing":
            return _standing(desk, path)
        case "days_since":
            dates = [each for each in desk.metrics(*_DATES) if each[0] != key]
            return [desk.select(f"{path}.metric", Message("Since which date"), _none(dates))]
        case "change" | "carry_over" | "group" | "rank":
            return _of_another(desk, path, str(kind), numbers)
    return []


def _none(options: Any) -> Any:
    return [("", ""), *options]


def _attribute(desk: Desk, path: str) -> Item:
    return desk.field(
        "text",
        f"{path}.attribute",
        Message("Name of what is stated"),
        hint=Message("As in your data, such as birthday or potential."),
    )


def _good_for(desk: Desk, path: str) -> Item:
    return desk.field(
        "whole",
        f"{path}.good_for_days",
        Message("Good for how many days"),
        hint=Message("Empty: for ever."),
        short=True,
    )


def _term(desk: Desk, path: str, numbers: Any) -> list[Item]:
    return [
        Row(
            [
                desk.field("decimal", f"{path}.weight", Message("Weight"), short=True),
                desk.select(f"{path}.metric", Message("times"), _none(numbers)),
            ]
        )
    ]


def _of_another(desk: Desk, path: str, kind: str, numbers: Any) -> list[Item]:
    other = desk.select(f"{path}.metric", Message("Of which figure"), _none(numbers))
    if kind == "change":
        how = desk.select(f"{path}.measured", Message("How it is measured"), labels.MEASURED)
        return [Row([other, how])]
    if kind == "carry_over":
        metric = desk.metric(desk.get(f"{path}.metric"))
        above = desk.valued(metric, f"{path}.above", Message("What is beyond"), short=True)
        cap = desk.valued(metric, f"{path}.cap", Message("At most"), short=True)
        return [Row([other, above, cap])]
    return [other]


def _standing(desk: Desk, path: str) -> list[Item]:
    measure = desk.get(f"{path}.measure")
    items: list[Item] = [desk.select(f"{path}.measure", Message("Which"), labels.MEASURES)]
    if str(measure).endswith("_at_or_above"):
        items += [
            desk.select(f"{path}.tier", Message("Tier"), _none(desk.keyed("tiers")[1:])),
            desk.flag(f"{path}.unbroken", Message("Without a break")),
        ]
    return [Row(items)]


# -- activities --------------------------------------------------------------------------------


def _activities(desk: Desk, path: str) -> list[Item]:
    aggregate = desk.get(f"{path}.aggregate")
    first: list[Item] = [
        desk.select(f"{path}.aggregate", Message("What is taken"), labels.AGGREGATES)
    ]
    if (
        aggregate in ("sum", "average", "minimum", "maximum")
        or desk.get(f"{path}.of") is not ABSENT
    ):
        first.append(
            desk.field(
                "column",
                f"{path}.of",
                Message("of what"),
                hint=Message("amount, quantity, or the name of a field of your own"),
            )
        )
    kinds = desk.field(
        "list",
        f"{path}.kinds",
        Message("of which activities"),
        hint=Message("Their kinds as in your data, with commas: sale, refund"),
    )
    where = desk.list_of(
        f"{path}.where",
        N_("Only where"),
        Message("Count only some of them"),
        lambda place: _filter(desk, place),
    )
    return [Row([*first, kinds]), *window(desk, f"{path}.window"), *where]


def _filter(desk: Desk, path: str) -> list[Item]:
    column, operator = desk.get(f"{path}.field"), desk.get(f"{path}.operator")
    several = operator in ("one_of", "none_of")
    kinds = {"product": "text", "channel": "text", "amount": "money", "quantity": "decimal"}
    kind = "list" if several else kinds.get(str(column), "loose")
    return [
        Row(
            [
                desk.field(
                    "column",
                    f"{path}.field",
                    Message("Field"),
                    hint=Message("product, channel, amount, quantity, or one of your own"),
                ),
                desk.select(f"{path}.operator", Message("How it is compared"), labels.FILTERS),
                desk.field(kind, f"{path}.value", Message("With what")),
            ]
        )
    ]


# -- windows -----------------------------------------------------------------------------------


def window(desk: Desk, path: str) -> list[Item]:
    """Return the fields of the time over which something is measured."""
    found = desk.get(path)
    kind = found.get("kind") if isinstance(found, dict) else None
    items: list[Item] = [desk.shape("window", path, Message("When"), labels.WINDOWS)]
    n = (f"{path}.n", Message("How many"))
    match kind:
        case "rolling":
            items.append(desk.field("whole", *n, short=True))
            items.append(desk.select(f"{path}.unit", Message("of what"), labels.UNITS))
        case "previous":
            items.append(desk.field("whole", *n, short=True))
            items += period(desk, path)
        case "this":
            items += period(desk, path)
        case "between":
            items.append(desk.field("date", f"{path}.from", Message("From")))
            items.append(desk.field("date", f"{path}.to", Message("To")))
        case "since":
            items.append(desk.select(f"{path}.event", Message("Since"), labels.SINCE))
    return [Row(items)]


def period(desk: Desk, path: str) -> list[Item]:
    """Return the fields of a calendar period and of the day on which the company's year begins."""
    return [
        desk.select(f"{path}.unit", Message("Period"), labels.PERIODS),
        desk.field(
            "text",
            f"{path}.starts",
            Message("Your year begins on"),
            hint=Message("Month and day, such as 04-06; empty: 1 January."),
            short=True,
        ),
    ]
