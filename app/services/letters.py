"""Letters to clients: from what a decision changed to words in the client's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.services.changes import Change
from app.words import LANGUAGES, Words
from rules.letters import Occasion, as_html, fill, names_in
from rules.messages import N_, Message
from rules.notices import MEANINGS, Notice, Told, due
from rules.policy import Letter as Template
from rules.sentences import Named


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who is written to: the client's name, and whom they deal with here; None if not known."""

    name: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter about one of a decision's events; ``html`` says the same as ``text``."""

    place: int
    event: str
    language: str
    subject: str
    text: str

    @property
    def html(self) -> str:
        return as_html(self.text)


def letters_of(change: Change, to: Addressee) -> Iterator[Letter]:
    """Yield the letters that are due to a client for what a decision changed."""
    policy, standing = change.in_force.policy, change.standing
    for notice in due(policy, change.before, standing, change.events, change.older):
        told = Told(
            policy, standing, change.explained, change.day, change.issued, notice, change.older
        )
        yield _letter(told, change.language, to)


def _letter(told: Told, wanted: str | None, to: Addressee) -> Letter:
    notice = told.notice
    own = notice.letter
    first = told.policy.languages[0]
    language = _spoken(wanted, first) if own is None else _language_of(own, wanted, first)
    words = Words.of(language)
    subject, body = _template(notice, words)
    values = {
        "client": to.name or words.say(_unnamed(own)),
        "contact": to.contact or words.say(Message("your manager")),
    }
    needed = {*names_in(subject), *names_in(body)} - values.keys()
    lines = {name: [value] for name, value in values.items()}
    lines |= {name: _lines(words, MEANINGS[name](told)) for name in needed}
    return Letter(
        notice.place, notice.event.kind, language, fill(subject, lines), fill(body, lines)
    )


def _language_of(template: Template, wanted: str | None, first: str) -> str:
    """Return the client's language if the template has it, if only in general; else the first."""
    if wanted is not None and {wanted, _general(wanted)} & template.body.keys():
        return wanted
    return first


def _spoken(*wanted: str | None) -> str:
    """Return the first language wanted that Merit has words for, else English."""
    known = {_general(each) for each in LANGUAGES}
    return next((each for each in wanted if each and _general(each) in known), LANGUAGES[0])


def _general(language: str) -> str:
    """Return a language without its country or script."""
    return language.replace("_", "-").partition("-")[0]


def _template(notice: Notice, words: Words) -> tuple[str, str]:
    if notice.letter is not None:
        return words.name(notice.letter.subject), words.name(notice.letter.body)
    default = DEFAULTS[notice.occasion]
    return words.say(Message(default.subject)), words.say(Message(default.body))


def _unnamed(template: Template | None) -> object:
    if template is None or template.unnamed is None:
        return Message("client")
    return Named(template.unnamed)


def _lines(words: Words, meaning: object) -> list[str]:
    if not isinstance(meaning, tuple):
        return [words.sentence(meaning) if isinstance(meaning, Message) else words.say(meaning)]
    return ["– " * (row.depth + 1) + words.say(row.said) for row in meaning]


# -- what is written where the policy has no letter --------------------------------------------


class Default(NamedTuple):
    """A letter of Merit's own, in English; other languages come from the catalogues."""

    subject: str
    body: str


_NOTICE = Default(
    N_("Your tier $tier: where you stand, and how to keep it"),
    N_(
        "Dear $client,\n\n"
        "we are writing in good time, so that nothing comes as a surprise to you.\n\n"
        "By the rules of “$programme”, keeping $tier asks for:\n$rule\n\n"
        "This is where you stand on $as_of:\n$figures\n\n"
        "For now you keep $tier. If the figures stay as they are, this follows:\n$ahead\n\n"
        "$to_stay\n"
        "As soon as you meet the rule again the matter is settled; you need do nothing more.\n\n"
        "If you would like to talk this over, please turn to $contact, who will gladly look for "
        "a good way with you.\n\n"
        "Yours sincerely"
    ),
)

DEFAULTS: Mapping[Occasion, Default] = {
    "warning": _NOTICE,
    "notice": _NOTICE,
    "withdraw": Default(
        N_("Your tier $tier: what changes, and how to have it back"),
        N_(
            "Dear $client,\n\n"
            "by the rules of “$programme”, keeping $tier asks for:\n$rule\n\n"
            "This is where you stand on $as_of:\n$figures\n\n"
            "By this rule the following rests as of $date:\n$benefits\n\n"
            "You keep $tier, and with it:\n$service\n\n"
            "If the figures stay as they are, this follows:\n$ahead\n\n"
            "$to_stay\n"
            "As soon as you meet the rule again you have everything back; you need do nothing "
            "more.\n\n"
            "If you would like to talk this over, please turn to $contact, who will gladly look "
            "for a good way with you.\n\n"
            "Yours sincerely"
        ),
    ),
    "demote": Default(
        N_("From now on your tier is $tier"),
        N_(
            "Dear $client,\n\n"
            "as of $date your tier is $tier; until now it was $former_tier.\n\n"
            "By the rules of “$programme”, keeping $former_tier asks for:\n$rule\n\n"
            "This is where you stood on $as_of:\n$figures\n\n"
            "With $tier you have, in full and as promised:\n$service\n\n"
            "The way up is open. $to_rise\n\n"
            "From now on $contact is there for you, and will gladly answer whatever you would "
            "like to know.\n\n"
            "Yours sincerely"
        ),
    ),
    "promotion": Default(
        N_("From now on your tier is $tier"),
        N_(
            "Dear $client,\n\n"
            "as of $date your tier is $tier; until now it was $former_tier. Thank you for "
            "working with us.\n\n"
            "With $tier you have:\n$service\n\n"
            "By the rules of “$programme”, keeping $tier asks for:\n$rule\n\n"
            "This is where you stand on $as_of:\n$figures\n\n"
            "If there is anything you would like to know, please turn to $contact.\n\n"
            "Yours sincerely"
        ),
    ),
    "reinstatement": Default(
        N_("You keep your tier $tier"),
        N_(
            "Dear $client,\n\n"
            "you keep $tier: what we wrote to you about is settled. Thank you.\n\n"
            "By the rules of “$programme”, keeping $tier asks for:\n$rule\n\n"
            "This is where you stand on $as_of:\n$figures\n\n"
            "With $tier you have:\n$service\n\n"
            "If there is anything you would like to know, please turn to $contact.\n\n"
            "Yours sincerely"
        ),
    ),
    "return": Default(
        N_("You have back what belongs to your tier $tier"),
        N_(
            "Dear $client,\n\n"
            "you keep $tier: what we wrote to you about is settled. Thank you.\n\n"
            "As of $date you have back:\n$benefits\n\n"
            "With $tier you have now:\n$service\n\n"
            "By the rules of “$programme”, keeping $tier asks for:\n$rule\n\n"
            "This is where you stand on $as_of:\n$figures\n\n"
            "If there is anything you would like to know, please turn to $contact.\n\n"
            "Yours sincerely"
        ),
    ),
}
"""What is written on each occasion; the names in it are those a policy's own letter may have."""
