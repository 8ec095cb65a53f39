"""Letters in a policy document: templates checked for every name, and for where they are used."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import Any

from marshmallow import ValidationError, post_load, validates_schema

from rules.document.fields import Data, Key, StrictSchema, Text, Translated
from rules.letters import (
    ABOUT_AN_END,
    IN_SUBJECTS,
    OCCASIONS,
    PLACEHOLDERS,
    Occasion,
    names_in,
    template_problems,
)
from rules.messages import Message
from rules.policy import DemotionPolicy, Letter, Policy

LONGEST_BODY = 5000
"""How many characters the body of a letter may have."""


class TemplateText(Text):
    """A text in which names may stand for something, such as ``$client``."""

    def __init__(self, known: Set[str], longest: int = 200, **kwargs: Any) -> None:
        super().__init__(longest, **kwargs)
        self.known = known

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if problems := list(template_problems(text, self.known)):
            raise ValidationError(list(problems))
        return text


class LineText(TemplateText):
    """A template of one line."""

    def _deserialize(self, value: Any, attr: str | None, data: Data, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text.splitlines()) > 1:
            raise ValidationError([Message("must be one line")])
        return text


class LetterSchema(StrictSchema):
    key = Key(required=True)
    subject = Translated(LineText(IN_SUBJECTS), required=True)
    body = Translated(TemplateText(frozenset(PLACEHOLDERS), LONGEST_BODY), required=True)
    unnamed = Translated(
        metadata={"description": "What stands for $client where the name is not known."}
    )

    @validates_schema
    def _is_whole_in_each_language(self, data: dict[str, Any], **kwargs: Any) -> None:
        texts = {part: data[part] for part in ("subject", "body", "unnamed") if part in data}
        languages = [code for text in texts.values() for code in text]
        errors = {
            part: {code: [Message("is missing")] for code in languages if code not in text}
            for part, text in texts.items()
        }
        if any(errors.values()):
            raise ValidationError({part: missing for part, missing in errors.items() if missing})

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Letter:
        return Letter(**data)


def misfits(policy: Policy) -> Iterator[tuple[str, Message]]:
    """Yield, by its path, each use of a letter whose names have no meaning there."""
    for path, key, occasion, known in _uses(policy):
        if key is None:
            continue
        letter = policy.letter(key)
        texts = (*letter.subject.values(), *letter.body.values())
        strange = {name for text in texts for name in names_in(text)} - known
        if strange:
            message = Message(
                "names a letter with %(names)s, which stands for nothing in one of %(occasion)s",
                names=", ".join(f"${name}" for name in sorted(strange)),
                occasion=Message(OCCASIONS[occasion]),
            )
            yield path, message


_Use = tuple[str, str | None, Occasion, Set[str]]


def _uses(policy: Policy) -> Iterator[_Use]:
    """Yield where letters may be named: path, key, for what, and which names have a meaning."""
    yield "promotion.letter", policy.promotion.letter, "promotion", _known("promotion")
    for index, demotion in enumerate(policy.demotion_policies):
        yield from _of_demotion(f"demotion_policies[{index}]", demotion)


def _of_demotion(path: str, demotion: DemotionPolicy) -> Iterator[_Use]:
    never = frozenset() if demotion.steps[-1].kind == "demote" else ABOUT_AN_END
    for place, step in enumerate(demotion.steps):
        yield f"{path}.steps[{place}].letter", step.letter, step.kind, _known(step.kind) - never
    kept, returned = demotion.reinstatement_letter, demotion.return_letter
    yield f"{path}.reinstatement_letter", kept, "reinstatement", _known("reinstatement")
    yield f"{path}.return_letter", returned, "return", _known("return")


def _known(occasion: Occasion) -> frozenset[str]:
    return frozenset(name for name, where in PLACEHOLDERS.items() if occasion in where)
