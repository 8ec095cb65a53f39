"""Letters to clients: templates with a fixed list of names, filled in as text and as HTML.

A template is a :class:`string.Template` and nothing more: what stands for a name is put in as it
is and never read again, so that neither an author nor a client's name can make anything happen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from html import escape
from string import Template
from typing import Literal, get_args

from rules.messages import N_, Message

Occasion = Literal[
    "warning", "notice", "withdraw", "demote", "promotion", "reinstatement", "return"
]
"""What a letter is written for: a step of a demotion policy, or what mends."""

OCCASIONS: Mapping[Occasion, str] = {
    "warning": N_("a warning"),
    "notice": N_("a notice"),
    "withdraw": N_("a withdrawal"),
    "demote": N_("a demotion"),
    "promotion": N_("a promotion"),
    "reinstatement": N_("a reinstatement"),
    "return": N_("a return of benefits"),
}
"""How each occasion is said: a letter of …"""

_ALWAYS: frozenset[Occasion] = frozenset(get_args(Occasion))
_FAILING: frozenset[Occasion] = frozenset({"warning", "notice", "withdraw"})

PLACEHOLDERS: Mapping[str, frozenset[Occasion]] = {
    "client": _ALWAYS,
    "contact": _ALWAYS,
    "programme": _ALWAYS,
    "date": _ALWAYS,
    "as_of": _ALWAYS,
    "tier": _ALWAYS,
    "former_tier": frozenset({"demote", "promotion"}),
    "tier_after": _FAILING,
    "deadline": _FAILING,
    "rule": _ALWAYS,
    "figures": _ALWAYS,
    "gap": _FAILING | {"demote"},
    "to_stay": _FAILING,
    "to_rise": frozenset({"demote", "promotion"}),
    "ahead": _FAILING,
    "benefits": frozenset({"withdraw", "return"}),
    "service": _ALWAYS,
}
"""The names that may stand in a letter, and in letters of what; docs/policy-document.md."""

ABOUT_AN_END = frozenset({"tier_after", "deadline"})
"""Those of them that only a demotion policy with a demotion has something to say for."""

IN_SUBJECTS = frozenset(PLACEHOLDERS) - {
    *("rule", "figures", "gap", "to_stay", "to_rise", "ahead", "benefits", "service"),
}
"""Those of them that fit on one line."""


def template_problems(template: str, known: Set[str]) -> Iterator[Message]:
    """Say what is wrong with a template in which the ``known`` names may stand."""
    names = ", ".join(f"${name}" for name in PLACEHOLDERS if name in known)
    if any(match["invalid"] is not None for match in Template.pattern.finditer(template)):
        yield Message("a $ that no name follows is written $$; names are %(names)s", names=names)
    for name in names_in(template):
        if name not in known:
            yield Message(
                "nothing stands for $%(name)s here; names are %(names)s", name=name, names=names
            )


def names_in(template: str) -> list[str]:
    """Return the names that stand in a template, each once."""
    return Template(template).get_identifiers()


def fill(template: str, values: Mapping[str, Sequence[str]]) -> str:
    """Return a valid template with values in the places of their names, each of one line or more.

    Paragraphs come out with one blank line between them; one that has nothing to say is left out.
    """
    lines = {
        name: "\n".join(filter(None, map(_on_one_line, value))) for name, value in values.items()
    }
    filled = (
        [line for line in Template("\n".join(each)).substitute(lines).split("\n") if line.strip()]
        for each in _paragraphs(template)
    )
    return "\n\n".join("\n".join(paragraph) for paragraph in filled if paragraph)


def as_html(text: str) -> str:
    """Return a text as HTML: paragraphs and the ends of their lines, everything else escaped."""
    paragraphs = ("<br>\n".join(map(escape, lines)) for lines in _paragraphs(text))
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)


def _paragraphs(text: str) -> Iterator[list[str]]:
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [line.rstrip() for line in paragraph.strip("\n").split("\n")]
        if any(lines):
            yield [line for line in lines if line]


_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+"
)
"""What ends a line, controls a terminal or turns the direction of what comes after it."""


def _on_one_line(value: str) -> str:
    """Return a value as one line that keeps to itself, whoever stated it."""
    return _UNSEEN.sub(" ", value).strip()
