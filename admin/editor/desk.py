"""A draft as somebody works on it: its document, what is wrong, and fields for its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from admin.editor.items import Actions, Box, Button, Field, Item, New, Options, Row
from admin.editor.labels import YES_NO, Labels
from admin.editor.values import KINDS, OF_TYPES, Manner, read, write
from admin.shell import field_id
from app.services.drafting import Reading, readable
from rules.document import Problem
from rules.document.merge import ABSENT
from rules.document.paths import get, has
from rules.messages import N_, Message
from rules.policy import Policy
from rules.sentences import Named
from rules.vocabulary import MetricType


@dataclass
class Desk:
    """A draft at a revision, for one reader."""

    number: int
    revision: int
    document: dict[str, Any]
    problems: Sequence[Problem]
    manner: Manner
    day: date
    fields: list[Field] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)

    # -- what the document says ----------------------------------------------------------------

    def get(self, path: str) -> Any:
        """Return what stands at a path, :data:`ABSENT` for nothing."""
        return get(self.document, path) if has(self.document, path) else ABSENT

    def entries(self, path: str) -> list[Any]:
        """Return the entries of a list that may be missing, or something else."""
        found = self.get(path)
        return found if isinstance(found, list) else []

    @property
    def languages(self) -> list[str]:
        return [each for each in self.entries("languages") if isinstance(each, str)] or ["en"]

    def name(self, entry: object) -> object:
        """Return what an entry is called; by its key where it has no name."""
        if isinstance(entry, dict):
            names = entry.get("name")
            if isinstance(names, dict):
                texts = {each: text for each, text in names.items() if isinstance(text, str)}
                if texts:
                    return Named(texts)
            return str(entry.get("key", "…"))
        return "…"

    def keyed(self, path: str, without: object = None) -> Options:
        """Return the entries of a list as options, by their keys."""
        return [
            (str(each["key"]), self.name(each))
            for each in self.entries(path)
            if isinstance(each, dict) and "key" in each and each["key"] != without
        ]

    def metrics(self, *types: MetricType) -> Options:
        """Return the metrics as options, those of some types only if any are given."""
        return [
            (str(each["key"]), self.name(each))
            for each in self.entries("metrics")
            if isinstance(each, dict) and "key" in each and (not types or each.get("type") in types)
        ]

    def metric(self, key: object) -> dict[str, Any] | None:
        """Return the metric of this key as it is written, if there is one."""
        return next(
            (
                each
                for each in self.entries("metrics")
                if isinstance(each, dict) and each.get("key") == key
            ),
            None,
        )

    @cached_property
    def reading(self) -> Reading:
        return readable(self.document)

    @property
    def policy(self) -> Policy | None:
        return self.reading.policy

    # -- fields --------------------------------------------------------------------------------

    def field(  # noqa: PLR0913 - all that may be different about a field
        self,
        kind: str,
        path: str,
        label: object,
        *,
        options: Options | Labels | None = None,
        hint: object = "",
        short: bool = False,
        language: str = "",
        value: Any = None,
    ) -> Field:
        """Return a field for what stands at a path."""
        said = self.get(path) if value is None else value
        values = write(kind, said, self.manner)
        made = Field(
            kind=kind,
            path=path,
            label=label,
            values=values,
            options=_with(_options(options), values) if kind != "choices" else _options(options),
            hint=hint,
            short=short,
            language=language,
        )
        plain = kind.removeprefix("pair-").removesuffix("?")
        if plain in KINDS and KINDS[plain].wanted and _unread(plain, said, self.manner):
            made.problems.append(Message(KINDS[plain].wanted))
        self.fields.append(made)
        return made

    def select(self, path: str, label: object, options: Options | Labels, **more: Any) -> Field:
        """Return a field in which one of several words is chosen."""
        return self.field("word", path, label, options=options, **more)

    def shape(self, sort: str, path: str, label: object, options: Labels, **more: Any) -> Field:
        """Return a field in which the shape of a part is chosen; "" stands for none."""
        found = self.get(path)
        kind = found.get("kind", "") if isinstance(found, dict) else ""
        return self.field(f"shape-{sort}", path, label, options=options, value=str(kind), **more)

    def flag(self, path: str, label: object, **more: Any) -> Field:
        """Return a field for yes or no, or neither."""
        options = [("", ""), *_options(YES_NO)]  # type: ignore[misc]  # there are options
        return self.field("flag", path, label, options=options, **more)

    def names(self, path: str, label: object, kind: str = "text", **more: Any) -> Row:
        """Return a field for each language, side by side."""
        languages = self.languages
        return Row(
            [
                self.field(
                    kind,
                    f"{path}.{each}",
                    label
                    if len(languages) == 1
                    else Message("%(label)s (%(language)s)", label=label, language=each),
                    language=each,
                    **more,
                )
                for each in languages
            ]
        )

    def valued(
        self, metric: Mapping[str, Any] | None, path: str, label: object, **how: Any
    ) -> Field:
        """Return a field for a value of a metric."""
        pair, unknown = how.pop("pair", False), how.pop("unknown", False)
        written = (metric or {}).get("type")
        kind = MetricType(written) if written in set(MetricType) else MetricType.COUNT
        typed = OF_TYPES[kind]
        label = self._in_its_unit(metric, kind, label)
        options: Options | None = None
        if metric is not None and kind is MetricType.CHOICE:
            options = [("", ""), *self.options_of(metric)]
        if kind is MetricType.BOOLEAN:
            options = [("", ""), *(_options(YES_NO) or [])]
        if unknown:
            typed += "?"
            options = None if options is None else [*options, ("?", Message("not known"))]
        return self.field(f"pair-{typed}" if pair else typed, path, label, options=options, **how)

    def _in_its_unit(
        self, metric: Mapping[str, Any] | None, kind: MetricType, label: object
    ) -> object:
        """Return a label that says in what a value is counted, where that is not plain."""
        if kind is MetricType.MONEY:
            return Message("%(what)s, in %(unit)s", what=label, unit=self.manner.currency)
        if kind is MetricType.DAYS:
            return Message("%(what)s, in days", what=label)
        if metric is not None and metric.get("unit") == "percent":
            return Message("%(what)s, in percent", what=label)
        return label

    def options_of(self, metric: Mapping[str, Any]) -> Options:
        """Return the options of a metric that is a choice; the tiers of the tier held."""
        source = metric.get("source")
        if isinstance(source, dict) and source.get("measure") == "tier_held":
            return self.keyed("tiers")
        found = metric.get("options")
        return [
            (str(each.get("key")), self.name(each))
            for each in (found if isinstance(found, list) else ())
            if isinstance(each, dict)
        ]

    # -- structure -------------------------------------------------------------------------------

    def box(self, title: object, items: Sequence[Item], path: str = "", **more: Any) -> Box:
        """Return things that belong together; what is wrong with the path itself stands on top."""
        made = Box(title, items, path, **more)
        self.boxes.append(made)
        return made

    def movers(self, path: str, index: int, length: int, about: object) -> list[Item]:
        """Return the buttons that move an entry of a list, and take it out."""
        found: list[Item] = []
        if index > 0:
            found.append(Button(f"up {path}", Message("Move up"), about))
        if index < length - 1:
            found.append(Button(f"down {path}", Message("Move down"), about))
        return [*found, Button(f"remove {path}", Message("Remove"), about, grave=True)]

    def list_of(
        self, path: str, name: str, button: Message, items: Any, *, new: Item | None = None
    ) -> list[Item]:
        """Return the entries of a list, each in a box that can be moved, and a way to add one."""
        entries = self.entries(path)
        boxes: list[Item] = []
        for index, _ in enumerate(entries):
            about = Message("%(name)s %(n)d", name=Message(name), n=index + 1)
            place = f"{path}[{index}]"
            movers = Actions(self.movers(place, index, len(entries), about))
            boxes.append(self.box(about, [*items(place), movers], place, inner=True))
        return [*boxes, new or Actions([Button(f"add {path}", button)])]

    # -- what is wrong ---------------------------------------------------------------------------

    def settle(self) -> list[tuple[str, object, object]]:
        """Put each problem where it belongs on this page; return all, each with id and label.

        Call it when all fields are made.  What belongs nowhere on the page is left to others.
        """
        places: list[Field | Box] = [*self.fields, *(each for each in self.boxes if each.path)]
        own = {each.path for each in self.fields if each.problems}
        for problem in self.problems:
            place = _nearest(places, problem.path)
            if place is not None and not (isinstance(place, Field) and place.path in own):
                place.problems.append(plainly(problem.message))
        return [
            (field_id(each.path), each.label, said)
            if isinstance(each, Field)
            else (f"b-{field_id(each.path)}", each.title, said)
            for each in places
            for said in each.problems
        ]


_PLAINLY = {
    "must be a list of 1 to %(most)d parts": N_("needs at least one condition"),
    "must have %(least)d to %(most)d entries": N_("needs at least one entry"),
    "must be a list of options": N_("needs at least one option"),
    "must be a list of two, [from, to], both included": N_("needs both ends"),
    "must name a lower tier that has entry criteria (%(known)s)": N_("has to be a lower tier"),
    "names none of the policy's metrics (%(known)s)": N_("has to be one of the figures"),
    "names none of the policy's %(what)s (%(known)s)": N_("has to be one of those there are"),
    "must be a whole number of minor units (cents, pence …) between -%(most)d and %(most)d": N_(
        "must be an amount of money, such as 1250"
    ),
    "must be a whole number between -%(most)d and %(most)d": N_(
        "must be a whole number, such as 12"
    ),
}
"""What is said of a field, where the document's own word would be about its JSON."""


def plainly(message: str) -> str:
    """Return what is wrong in words about fields."""
    said = _PLAINLY.get(message.id) if isinstance(message, Message) else None
    return Message(said) if said else message


def _nearest(places: Sequence[Field | Box], path: str) -> Field | Box | None:
    """Return where a problem is shown: at its own field, the first within it, or around it."""
    exact = [each for each in places if each.path == path]
    within = [each for each in places if isinstance(each, Field) and _is_in(each.path, path)]
    around = [each for each in places if _is_in(path, each.path)]
    if exact:
        return exact[0]
    if within and path:
        return within[0]
    return max(around, key=lambda each: len(each.path), default=None)


def _is_in(path: str, holder: str) -> bool:
    return path.startswith((f"{holder}.", f"{holder}["))


def _options(options: Options | Labels | None) -> Options | None:
    if isinstance(options, Mapping):
        return [(each, Message(said)) for each, said in options.items()]
    return options


def _with(options: Options | None, values: Sequence[str]) -> Options | None:
    """Return options among which is what was chosen, whatever it is; and nothing, if it is that."""
    if options is None:
        return None
    known = {each for each, _ in options}
    usual = dict(options).get("")
    more: Iterator[tuple[str, object]] = (
        (each, usual if usual and each else each) for each in values if each not in known
    )
    return [*more, *options]


def _unread(kind: str, value: Any, manner: Manner) -> bool:
    """Tell whether a value is the typed text of something that could not be read."""
    values = value if isinstance(value, list) else [value]
    return kind not in ("date", "flag") and any(
        isinstance(each, str) and isinstance(read(kind, [each], manner), str)
        for each in values
        if each
    )


def new_named(path: str, label: Message, button: Message) -> New:
    """Return a field for the name of something to be added to a list."""
    return New(f"add {path}", label, button)


def named_entries(
    desk: Desk, path: str, label: Message, another: Message, button: Message
) -> list[Item]:
    """Return the entries of a list that have nothing but names, and a field for one more."""
    entries = desk.entries(path)
    items: list[Item] = []
    for index, entry in enumerate(entries):
        place = f"{path}[{index}]"
        movers = desk.movers(place, index, len(entries), desk.name(entry))
        items.append(Row([desk.names(f"{place}.name", label), Actions(movers)]))
    return [*items, new_named(path, another, button)]
