"""The parts of a policy as pages: tiers, promises, ways down, letters, and the policy itself."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from admin.editor import labels
from admin.editor.criteria import criteria
from admin.editor.desk import Desk, named_entries
from admin.editor.figures import period
from admin.editor.items import Actions, Button, Item, Note, Row, Said
from admin.editor.preview import previewed
from rules.describe import Line
from rules.document.merge import ABSENT
from rules.letters import OCCASIONS, PLACEHOLDERS
from rules.messages import N_, Listed, Message
from rules.vocabulary import MetricType


def _key(desk: Desk, path: str) -> str:
    found = desk.get(path)
    return str(found.get("key")) if isinstance(found, dict) else ""


def _chosen(options: Any, none: Message) -> Any:
    return [("", none), *options]


# -- tiers -----------------------------------------------------------------------------------


def tier(desk: Desk, path: str) -> list[Item]:
    """Return the fields of one tier."""
    key = _key(desk, path)
    items: list[Item] = [desk.names(f"{path}.name", Message("Name"))]
    tiers = [each for each, _ in desk.keyed("tiers")]
    below = tuple(takewhile(lambda each: each != key, tiers))
    if below or desk.get(f"{path}.entry") is not ABSENT:
        items += _reached(desk, path, below[1:])
    else:
        items.append(Note(Message("This is the lowest tier: everybody has it.")))
    benefits = named_entries(
        desk,
        f"{path}.benefits",
        Message("Benefit"),
        Message("Another benefit"),
        Message("Add the benefit"),
    )
    items.append(desk.box(Message("What it brings"), benefits))
    items.append(_promised(desk, path))
    if below:
        items.append(_held(desk, path))
    return items


def _reached(desk: Desk, path: str, below: tuple[str, ...]) -> list[Item]:
    entry, keep = f"{path}.entry", f"{path}.keep"
    return [
        desk.box(
            Message("Who reaches it"), criteria(desk, entry, Message("to reach it"), below), entry
        ),
        desk.box(
            Message("Who keeps it"),
            criteria(desk, keep, Message("to keep it"), below),
            keep,
            hint=Message(
                "Easier than reaching it, so that nobody goes up and down. Nothing here: who "
                "reaches it."
            ),
        ),
    ]


def _promised(desk: Desk, path: str) -> Item:
    promises = desk.keyed("standards")
    chosen = desk.field("choices", f"{path}.standards", Message("Promises"), options=promises)
    none = Note(Message("Promises are written on a page of their own."))
    return desk.box(Message("What is promised"), [chosen] if promises else [none])


def _held(desk: Desk, path: str) -> Item:
    validity = f"{path}.validity"
    return desk.box(
        Message("How it is held and lost"),
        [
            *_validity(desk, validity, Message("Once earned, it is held")),
            desk.select(f"{path}.renewal", Message("It is earned anew"), labels.RENEWALS),
            desk.field(
                "whole",
                f"{path}.lifetime_after_years",
                Message("Held for life after how many years"),
                hint=Message("Empty: never. 0: at once."),
                short=True,
            ),
            desk.select(
                f"{path}.demotion",
                Message("Who no longer keeps it is stepped down by"),
                _chosen(desk.keyed("demotion_policies"), Message("nothing: it stays")),
            ),
        ],
    )


def _validity(desk: Desk, path: str, label: Message) -> list[Item]:
    found = desk.get(path)
    kind = found.get("kind") if isinstance(found, dict) else None
    items: list[Item] = [desk.shape("validity", path, label, labels.VALIDITIES)]
    if kind == "fixed":
        units = {each: labels.UNITS[each] for each in ("days", "months")}
        items += [
            desk.field("whole", f"{path}.n", Message("How many"), short=True),
            desk.select(f"{path}.unit", Message("of what"), units),
            desk.flag(f"{path}.to_month_end", Message("and on to the end of the month")),
        ]
    if kind == "calendar":
        items += [
            *period(desk, path),
            desk.field("whole", f"{path}.further", Message("How many periods further"), short=True),
            desk.field("whole", f"{path}.plus_months", Message("Months more"), short=True),
        ]
    return [Row(items)]


def _assessment(desk: Desk, path: str, label: Message) -> list[Item]:
    found = desk.get(path)
    kind = found.get("kind") if isinstance(found, dict) else None
    items: list[Item] = [desk.shape("assessment", path, label, labels.ASSESSMENTS)]
    if kind == "year_days":
        hint = Message("Month and day, with commas: 01-01, 07-01")
        items.append(desk.field("list", f"{path}.days", Message("Days"), hint=hint))
    if kind == "monthly":
        items.append(desk.field("whole", f"{path}.day", Message("Day of the month"), short=True))
    if kind == "anniversary":
        dates = _chosen(desk.metrics(MetricType.DATE), Message("the day the tier was reached"))
        items.append(desk.select(f"{path}.every", Message("How often"), labels.EVERY))
        items.append(desk.select(f"{path}.of", Message("Counted from"), dates))
    return [Row(items)]


# -- segments and promises ---------------------------------------------------------------------


def segment(desk: Desk, path: str) -> list[Item]:
    """Return the fields of one segment."""
    tiers = tuple(each for each, _ in desk.keyed("tiers"))[1:]
    rule = f"{path}.criteria"
    return [
        desk.names(f"{path}.name", Message("Name")),
        desk.box(
            Message("Who is in it"), criteria(desk, rule, Message("to be in it"), tiers), rule
        ),
        _promised(desk, path),
    ]


def standard(desk: Desk, path: str) -> list[Item]:
    """Return the fields of one promise."""
    return [
        desk.names(f"{path}.name", Message("What clients read")),
        desk.box(
            Message("What it promises"),
            [
                desk.shape("promise", f"{path}.promise", Message("Promise"), labels.PROMISES),
                Row(_terms(desk, f"{path}.promise")),
            ],
            f"{path}.promise",
        ),
        desk.field(
            "text",
            f"{path}.answers",
            Message("Who answers for it"),
            hint=Message("A word of your own, such as manager."),
        ),
    ]


def _terms(desk: Desk, path: str) -> list[Item]:
    found = desk.get(path)
    kind = found.get("kind") if isinstance(found, dict) else None
    days = desk.field if kind in ("contact_every", "after_activity", "after_event") else None
    items: list[Item] = []
    match kind:
        case "respond_within":
            items = [
                desk.field("text", f"{path}.request", Message("To what kind of request")),
                desk.field(
                    "whole", f"{path}.working_minutes", Message("Working minutes"), short=True
                ),
            ]
        case "after_activity":
            items = [desk.field("text", f"{path}.activity", Message("After which activity"))]
        case "on_date":
            items = [
                desk.field("text", f"{path}.attribute", Message("Which date of the client")),
                desk.field("whole", f"{path}.days_before", Message("Days before"), short=True),
            ]
        case "after_event":
            items = [desk.select(f"{path}.event", Message("After what"), labels.EVENTS)]
        case "survey_every":
            items = [
                desk.select(f"{path}.survey", Message("Which question"), labels.SURVEYS),
                desk.select(f"{path}.unit", Message("Every"), labels.PERIODS),
            ]
        case "entitlement":
            items = [desk.field("text", f"{path}.detail", Message("Details"))]
    if days:
        items.append(days("whole", f"{path}.days", Message("Days"), short=True))
    return items


# -- ways down -------------------------------------------------------------------------------


def demotion(desk: Desk, path: str) -> list[Item]:
    """Return the fields of one demotion policy."""
    steps, unless = f"{path}.steps", f"{path}.unless"
    tiers = tuple(each for each, _ in desk.keyed("tiers"))[1:]
    return [
        desk.names(f"{path}.name", Message("Name")),
        desk.box(
            Message("Steps"),
            desk.list_of(
                steps,
                N_("Step"),
                Message("Add a step"),
                lambda place: _step(desk, place),
                new=Actions(
                    [
                        Button(f"add {steps} {kind}", Message("Add a step: %(what)s", what=said_of))
                        for kind, said_of in (
                            (kind, Message(text)) for kind, text in labels.STEPS.items()
                        )
                    ]
                ),
            ),
            steps,
        ),
        desk.box(
            Message("When it begins"),
            [
                *_assessment(desk, f"{path}.assessment", Message("It is looked")),
                desk.field(
                    "whole",
                    f"{path}.minimum_stay_days",
                    Message("Days at the tier before it can begin"),
                    short=True,
                ),
            ],
        ),
        desk.box(
            Message("Who is spared"),
            criteria(desk, unless, Message("to be spared"), tiers),
            unless,
            hint=Message("Nothing of this befalls who meets these criteria."),
        ),
        _mending(desk, path),
    ]


def _mending(desk: Desk, path: str) -> Item:
    return desk.box(
        Message("When the criteria are met again"),
        [
            desk.field(
                "whole",
                f"{path}.benefits_return_days",
                Message("Days between the returns of benefits"),
                hint=Message("Empty: all return at once."),
                short=True,
            ),
            _letter(desk, f"{path}.reinstatement_letter", Message("Letter to who meets them")),
            _letter(
                desk, f"{path}.return_letter", Message("Letter to who has benefits given back")
            ),
        ],
    )


def _letter(desk: Desk, path: str, label: Message) -> Item:
    options = [(key, key) for key, _ in desk.keyed("letters")]
    return desk.select(path, label, _chosen(options, Message("the one everybody has")))


def _step(desk: Desk, path: str) -> list[Item]:
    kind = desk.get(f"{path}.kind")
    first: list[Item] = [desk.shape("step", path, Message("What is done"), labels.STEPS)]
    if kind == "warning":
        first.append(
            desk.field("whole", f"{path}.days", Message("Days before the end"), short=True)
        )
    else:
        first += [
            desk.field("whole", f"{path}.months", Message("Months"), short=True),
            desk.field("whole", f"{path}.days", Message("Days"), short=True),
            desk.select(f"{path}.counted", Message("Counted"), labels.COUNTED),
        ]
    more: list[Item] = []
    if kind == "withdraw":
        benefits = {
            str(each.get("key")): desk.name(each)
            for index, _ in enumerate(desk.entries("tiers"))
            for each in desk.entries(f"tiers[{index}].benefits")
            if isinstance(each, dict)
        }
        label = Message("Which benefits")
        options = list(benefits.items())
        more.append(desk.field("choices", f"{path}.benefits", label, options=options))
    if kind == "demote":
        more.append(desk.select(f"{path}.to", Message("Where to"), labels.DEMOTED_TO))
        if desk.get(f"{path}.to") == "one_rung" or desk.get(f"{path}.landing") is not ABSENT:
            more += _validity(desk, f"{path}.landing", Message("The lower tier is held"))
    return [Row(first), *more, _letter(desk, f"{path}.letter", Message("Letter"))]


# -- letters -----------------------------------------------------------------------------------


def letter(desk: Desk, path: str) -> list[Item]:
    """Return the fields of one letter."""
    names = [Message("%(name)s", name=f"${each}") for each in PLACEHOLDERS]
    occasions = Listed(tuple(Message(each) for each in OCCASIONS.values()), "or")
    return [
        desk.names(f"{path}.subject", Message("Subject")),
        desk.names(f"{path}.body", Message("Text"), kind="lines"),
        desk.names(
            f"{path}.unnamed",
            Message("Stands where the client’s name is not known"),
        ),
        *_previews(desk, path),
        desk.box(
            Message("Names that may stand for something"),
            [
                Note(Message("%(names)s", names=Listed(tuple(names)))),
                Note(
                    Message(
                        "Not all of them mean something in a letter of %(occasions)s.",
                        occasions=occasions,
                    )
                ),
            ],
            folded=True,
        ),
    ]


def _previews(desk: Desk, path: str) -> list[Item]:
    """Return a letter in each language, with something in the place of every name."""
    items: list[Item] = []
    for language in desk.languages:
        texts = [desk.get(f"{path}.{part}.{language}") for part in ("subject", "body")]
        if not all(isinstance(each, str) for each in texts):
            continue
        filled = previewed(desk, "\n\n".join(texts), language)
        said = [Line(0, Message("%(text)s", text=each)) for each in filled]
        title = Message("How it reads (%(language)s)", language=language)
        items.append(desk.box(title, [Said(said)], folded=True))
    return items


# -- the policy itself -------------------------------------------------------------------------


def basics(desk: Desk, _: str) -> list[Item]:
    """Return the fields of the policy as a whole."""
    return [
        desk.names("name", Message("Name of the policy")),
        Row(
            [
                desk.field("text", "key", Message("Short name for programs")),
                desk.field(
                    "list",
                    "languages",
                    Message("Languages"),
                    hint=Message("Their codes, the main one first: en, uk"),
                ),
            ]
        ),
        desk.field(
            "whole",
            "settlement_days",
            Message("Days in which something may still be recorded for a day"),
            hint=Message("Empty: none. What is late counts from the next decision on."),
            short=True,
        ),
        Row([_fixed(desk, "currency"), _fixed(desk, "time_zone")]),
    ]


def _fixed(desk: Desk, path: str) -> Item:
    label = Message("Currency") if path == "currency" else Message("Time zone")
    return desk.field("text", path, label, hint=Message("The installation’s; it never changes."))


def rising(desk: Desk, _: str) -> list[Item]:
    """Return the fields of when clients rise, and to whom the tier of a group goes."""
    return [
        *_assessment(desk, "promotion.assessment", Message("It is looked")),
        desk.select("promotion.path", Message("Clients rise"), labels.PATHS),
        _letter(desk, "promotion.letter", Message("Letter to who rises")),
        desk.select(
            "groups.tier_goes_to", Message("What a group reaches together goes to"), labels.GOES_TO
        ),
    ]


def transition(desk: Desk, _: str) -> list[Item]:
    """Return the fields of whom a new version moves."""
    former = "transition.former_tiers"
    return [
        Row(
            [
                desk.select("transition.moves", Message("Whom it moves"), labels.MOVES),
                desk.field(
                    "date",
                    "transition.until",
                    Message("Until"),
                    hint=Message("The last day for tiers that have none of their own."),
                ),
            ]
        ),
        desk.box(
            Message("Tiers that are no more"),
            desk.list_of(
                former,
                N_("Former tier"),
                Message("Name a former tier"),
                lambda place: [
                    Row(
                        [
                            desk.field("text", f"{place}.key", Message("Short name of the tier")),
                            desk.select(
                                f"{place}.now",
                                Message("Who held it holds"),
                                _chosen(desk.keyed("tiers"), Message("…")),
                            ),
                        ]
                    )
                ],
            ),
            former,
        ),
    ]
