"""``POST /activities``: what happened with clients, all of a request or none of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, ValidationError, fields, validates_schema
from werkzeug.exceptions import UnsupportedMediaType

from app.api.bodies import NDJSON, body, json_answer
from app.api.clients import Attributes
from app.api.problems import problems
from app.api.repeatable import HEADER, complete, repeatable
from app.api.security import requires
from app.database import retried
from app.merit import merit
from app.services.activities import NewActivity, Sorted, misfits, record_activities
from app.services.authority import Scope
from app.services.errors import Conflicting, Invalid
from app.services.evaluations import ClientReference
from app.services.rulebook import NoPolicy
from rules.document import Problem, problems_in
from rules.document.fields import Day, Key, StrictField, StrictSchema, Text, Whole, refuse
from rules.document.strict_json import JsonRefused, loads
from rules.facts import MOST_PLACES
from rules.messages import Message
from rules.policy import Policy
from rules.vocabulary import EARLIEST_DAY, LARGEST, LATEST_DAY, exact
from rules.windows import local_day

MOST_AT_ONCE = 10_000
MOST_PROBLEMS = 100

activities = Blueprint(
    "activities", __name__, url_prefix="/api/v1", description="What happened with clients."
)


class Instant(StrictField[datetime]):
    """An instant of RFC 3339: with its offset from UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "string", "format": "date-time"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        try:
            if not isinstance(value, str) or len(value) < len("2026-07-01T00:00:00Z"):
                raise ValueError
            at = datetime.fromisoformat(value)
            day = local_day(at, ZoneInfo("UTC"))
        except ValueError as error:
            raise refuse(
                "must be an instant with its offset from UTC, such as 2026-07-01T14:30:00+02:00"
            ) from error
        if not EARLIEST_DAY < day < LATEST_DAY:
            raise refuse("is out of all proportion")
        return at


class Quantity(StrictField[int | Decimal]):
    """A number of pieces, kilograms or nights."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__({"type": "number", "minimum": -LARGEST, "maximum": LARGEST}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int | Decimal:
        number = exact(value)
        if number is None or abs(number) > LARGEST or (number * 10**MOST_PLACES).denominator != 1:
            raise refuse(
                "must be a number between -%(most)d and %(most)d with at most %(places)d "
                "decimal places",
                most=LARGEST,
                places=MOST_PLACES,
            )
        return value  # type: ignore[no-any-return]  # exact() takes only these


class ActivitySchema(StrictSchema):
    """Something that happened with a client; ``source`` and ``id`` name it for ever."""

    source = Key(required=True, metadata={"description": "The system that tells it."})
    id = ClientReference(required=True, metadata={"description": "Its number there."})
    client = ClientReference(required=True)
    kind = Key(required=True, metadata={"description": "Such as sale; `void` takes one out."})
    date = Day(metadata={"description": "Its day in the company's time zone, or `at`."})
    at = Instant(metadata={"description": "Its instant; the day follows from it."})
    amount = Whole(-LARGEST, LARGEST, metadata={"description": "In minor units."})
    quantity = Quantity()
    product = Text()
    channel = Text()
    attributes = Attributes(load_default=dict)
    voids = ClientReference(
        metadata={"description": "The id, at the same source, of what a `void` takes out."}
    )

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def _is_dated_once(self, _: Any, given: Any, **__: Any) -> None:
        if isinstance(given, dict) and ("date" in given) == ("at" in given):
            raise ValidationError({"date": [Message("must be given, or at, and not both")]})


class RecordedSchema(Schema):
    recorded = fields.Integer(required=True)
    known = fields.Integer(
        required=True, metadata={"description": "How many had been recorded before."}
    )


_ONE = {"$ref": "#/components/schemas/Activity"}


@activities.route("/activities")
class Activities(MethodView):
    @activities.doc(
        parameters=[HEADER],
        requestBody={
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "array",
                        "minItems": 1,
                        "maxItems": MOST_AT_ONCE,
                        "items": _ONE,
                    }
                },
                NDJSON: {"schema": {"type": "string"}},
            },
        },
        **problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
    )
    @activities.response(200, RecordedSchema)
    @requires(Scope.ACTIVITIES_WRITE)
    @repeatable
    def post(self) -> Response:
        """Record up to 10,000 activities, as a JSON array or NDJSON: all of them or none.

        Each is recorded once, however often it is sent; another content under the same source
        and id is a conflict. What is wrong is said by index.
        """
        found = merit()
        items = list(islice(_items(), MOST_AT_ONCE + 1))  # one too many is enough to know it
        read = _read(items, ZoneInfo(found.fixed.time_zone))

        def post() -> Response:
            with found.acting(g.actor) as act:
                with suppress(NoPolicy):  # nothing measures them yet
                    _require_fit(found.rulebook.in_force(act.session).policy, read)
                result = record_activities(act, read)
                _require_all(result)
                answer = json_answer({"recorded": len(result.new), "known": len(result.known)})
                complete(act.session, answer)
                return answer

        return retried(post)


def _items() -> Iterator[object]:
    match request.mimetype:
        case "application/json":
            found = loads(body())
            if not isinstance(found, list):
                raise Invalid([Problem("", Message("must be a list: […]"))])
            yield from found
        case "application/x-ndjson":
            for number, line in enumerate(body().splitlines(), 1):
                if line.strip():
                    try:
                        yield loads(line)
                    except JsonRefused as error:
                        message = Message(
                            "Line %(line)d: %(reason)s", line=number, reason=error.message
                        )
                        raise JsonRefused(message) from error
        case _:
            raise UnsupportedMediaType


def _read(items: list[object], zone: ZoneInfo) -> list[NewActivity]:
    if not 1 <= len(items) <= MOST_AT_ONCE:
        message = Message("must hold 1 to %(most)d activities", most=MOST_AT_ONCE)
        raise Invalid([Problem("", message)])
    schema, read, wrong = ActivitySchema(), [], list[Problem]()
    for index, item in enumerate(items):
        try:
            each: Any = schema.load(item)  # type: ignore[arg-type]  # may be anything
        except ValidationError as error:
            wrong += _at(index, problems_in(error.messages))
            if len(wrong) >= MOST_PROBLEMS:
                break
        else:
            day = local_day(each["at"], zone) if "at" in each else each.pop("date")
            read.append(NewActivity(day=day, **each))
    if wrong:
        raise Invalid(wrong)
    return read


def _require_fit(policy: Policy, read: list[NewActivity]) -> None:
    wrong = [
        problem for index, each in enumerate(read) for problem in _at(index, misfits(policy, each))
    ]
    if wrong:
        raise Invalid(wrong[:MOST_PROBLEMS])


def _require_all(result: Sorted) -> None:
    if not result.refused:
        return
    refused = list(result.refused.items())[:MOST_PROBLEMS]
    problems_ = [Problem(f"[{index}]", each.message) for index, each in refused]
    if all(each.conflict for each in result.refused.values()):
        raise Conflicting(problems_)
    raise Invalid(problems_)


def _at(index: int, found: Iterator[Problem]) -> Iterator[Problem]:
    for each in found:
        yield Problem(f"[{index}].{each.path}".rstrip("."), each.message)
