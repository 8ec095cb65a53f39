"""What a page of the editor is made of; one template puts all of it on the page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rules.describe import Line

Options = Sequence[tuple[str, object]]
"""Values and how they are said."""


@dataclass(slots=True)
class Field:
    """One field: what is typed in it changes the document at its path."""

    what: ClassVar[str] = "field"
    kind: str
    path: str
    label: object
    values: list[str]
    options: Options | None = None
    hint: object = ""
    short: bool = False
    language: str = ""
    node: str = ""
    problems: list[object] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Return what the field is posted as; its change may be one of the ``node`` around it."""
        return f"{self.kind}:{self.node or self.path}"

    @property
    def widget(self) -> str:
        if self.kind == "choices":
            return "boxes"
        if self.kind.startswith("pair-"):
            return "pair"
        if self.options is not None:
            return "select"
        return "area" if self.kind == "lines" else "text"

    @property
    def type(self) -> str:
        """Return the type of the input: one for days would hide what is none."""
        is_date = self.kind.removeprefix("pair-") == "date"
        return "date" if is_date and all(map(_is_day, self.values)) else "text"


def _is_day(text: str) -> bool:
    return not text or re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None


@dataclass(frozen=True, slots=True)
class Button:
    """Something done to the structure; ``about`` says to whom the label does not, to what."""

    what: ClassVar[str] = "button"
    op: str
    label: object
    about: object = ""
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """Things side by side."""

    what: ClassVar[str] = "row"
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Actions:
    """Buttons side by side."""

    what: ClassVar[str] = "actions"
    items: Sequence[Item]


@dataclass(slots=True)
class Box:
    """Things that belong together, under a heading; problems of its path stand on top."""

    what: ClassVar[str] = "box"
    title: object
    items: Sequence[Item]
    path: str = ""
    hint: object = ""
    inner: bool = False
    folded: bool = False
    problems: list[object] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Said:
    """What was written, read back in sentences."""

    what: ClassVar[str] = "said"
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence between other things."""

    what: ClassVar[str] = "note"
    text: object
    style: str = "hint"


@dataclass(frozen=True, slots=True)
class Link:
    """A way to another page."""

    what: ClassVar[str] = "link"
    url: str
    text: object


@dataclass(frozen=True, slots=True)
class New:
    """A field for the name of something that is added, with the button that adds it."""

    what: ClassVar[str] = "new"
    op: str
    label: object
    button: object
    options: Options | None = None


Item = Field | Button | Row | Actions | Box | Said | Note | Link | New
