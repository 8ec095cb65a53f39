"""What a use case refuses, each with a sentence a person can act on."""

from __future__ import annotations

from collections.abc import Iterable

from rules.document import Problem
from rules.messages import Message


class Refused(Exception):
    """A use case was not carried out, and nothing was changed; ``message`` says why."""

    def __init__(self, template: str, /, **params: object) -> None:
        self.message = Message(template, **params)
        super().__init__(self.message)


class NotAllowed(Refused):
    """Whoever asked may not do this."""


class NotThere(Refused):
    """What was named does not exist."""


class NotActionable(Refused):
    """What was named is not in a state in which this can be done."""


class Stale(Refused):
    """Somebody else changed it since it was read."""


class Conflict(Refused):
    """Something else already stands under this name."""


class TooMany(Refused):
    """Tried too often; ``seconds`` says when to try again."""

    def __init__(self, seconds: int) -> None:
        super().__init__("Too many attempts; try again in %(seconds)d seconds.", seconds=seconds)
        self.seconds = seconds


class Invalid(Exception):
    """What was given cannot be taken; ``problems`` names each field and what would be right."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Conflicting(Invalid):
    """What was given contradicts what stands under the same names already."""
