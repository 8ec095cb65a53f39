"""``PUT /clients/{reference}``: all that is stated about a client."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

from flask import Response, g, request
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import ValidationError, fields

from app.api.bodies import json_answer, json_body
from app.api.problems import problems
from app.api.security import requires
from app.clock import business_date
from app.database import retried
from app.merit import merit
from app.services.authority import Scope
from app.services.clients import ANY, NONE, Contact, Stated, put_client, require_fit, stated_of
from app.services.errors import Invalid
from app.services.evaluations import ClientReference
from app.services.rulebook import NoPolicy
from app.services.tables import REFERENCE
from rules.document import Problem, problems_in
from rules.document.fields import (
    KEY,
    Day,
    Key,
    Keyed,
    LanguageCode,
    Nested,
    StrictField,
    StrictSchema,
    Text,
    refuse,
)
from rules.facts import MOST_PLACES
from rules.measure import Raw
from rules.messages import Message
from rules.vocabulary import LARGEST

MOST_ATTRIBUTES = 100
LONGEST_TEXT = 200
LONGEST_LANGUAGE = 16
MOST_CONTACTS = 100

clients = Blueprint(
    "clients", __name__, url_prefix="/api/v1", description="Clients, and how they stand."
)

REFERENCE_PARAMETER = {
    "in": "path",
    "name": "reference",
    "required": True,
    "schema": {"type": "string", "pattern": f"^{REFERENCE.pattern}$"},
    "description": "The company's own number for the client.",
}


class Attributes(StrictField[Mapping[str, Raw]]):
    """Stated facts by name: numbers, texts, true or false."""

    def __init__(self, **kwargs: Any) -> None:
        shape = {
            "type": "object",
            "maxProperties": MOST_ATTRIBUTES,
            "propertyNames": {"pattern": f"^{KEY.pattern}$"},
            "additionalProperties": {
                "anyOf": [
                    {"type": "number", "minimum": -LARGEST, "maximum": LARGEST},
                    {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
                    {"type": "boolean"},
                ]
            },
        }
        super().__init__(shape, **kwargs)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> Mapping[str, Raw]:
        if not isinstance(value, dict):
            raise refuse("must be an object: {…}")
        if len(value) > MOST_ATTRIBUTES:
            raise refuse("must have at most %(most)d entries", most=MOST_ATTRIBUTES)
        wrong: dict[str, list[str]] = {}
        for name, each in value.items():
            try:
                Key().deserialize(name)
                _raw(each)
            except ValidationError as error:
                wrong[name] = list(error.messages)
        if wrong:
            raise ValidationError(wrong)
        return value


def _raw(value: object) -> None:
    match value:
        case bool():
            return
        case str():
            Text(LONGEST_TEXT).deserialize(value)
        case int() | Decimal():
            number = Fraction(value)
            if abs(number) > LARGEST or (number * 10**MOST_PLACES).denominator != 1:
                raise refuse(
                    "must be a number between -%(most)d and %(most)d with at most %(places)d "
                    "decimal places",
                    most=LARGEST,
                    places=MOST_PLACES,
                )
        case _:
            raise refuse("must be a number, a text, true or false")


class ContactSchema(StrictSchema):
    """Somebody at a client's, and whom they deal with here."""

    key = ClientReference(required=True)
    name = Text(required=True)
    level = Key(metadata={"description": "Such as director or specialist."})
    birthday = Day()
    counterpart = Text(metadata={"description": "Who of ours deals with them."})


class Language(LanguageCode):
    """A language code that fits its column."""

    def __init__(self) -> None:
        super().__init__(metadata={"maxLength": LONGEST_LANGUAGE})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        found = super()._deserialize(value, attr, data, **kwargs)
        if len(found) > LONGEST_LANGUAGE:
            raise refuse("must be at most %(n)d characters long", n=LONGEST_LANGUAGE)
        return found


class ClientSchema(StrictSchema):
    """All that is stated about a client; what is left out is stated no more."""

    name = Text()
    language = Language()
    attributes = Attributes(load_default=dict)
    contacts = Keyed(Nested(ContactSchema), most=MOST_CONTACTS, load_default=list)


class StatedSchema(ClientSchema):
    """What is stated about a client now, and as which version."""

    client = ClientReference(required=True)
    version = fields.Integer(required=True)


def version_headers(*names: str) -> list[dict[str, Any]]:
    """Describe the headers that say which version a request replaces."""
    said = {
        "If-Match": "The ETag of the version this replaces; 412 if it is not the present one.",
        "If-None-Match": "`*`: only if there is no such client yet.",
    }
    return [
        {"in": "header", "name": name, "schema": {"type": "string"}, "description": said[name]}
        for name in names
    ]


@clients.route("/clients/<reference>", parameters=[REFERENCE_PARAMETER])
class ClientView(MethodView):
    @clients.doc(
        parameters=version_headers("If-Match", "If-None-Match"),
        requestBody={
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Client"}}},
        },
        **problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503),
    )
    @clients.response(200, StatedSchema)
    @clients.alt_response(201, schema=StatedSchema, description="The client is new.")
    @requires(Scope.CLIENTS_WRITE)
    def put(self, reference: str) -> Response:
        """State the whole set about a client.

        What is different is kept as stated from today on, what was before with its dates. The
        same set again changes nothing.
        """
        if not REFERENCE.fullmatch(reference):
            raise Invalid([Problem("reference", _REFERENCE)])
        stated = _stated(json_body())
        expected = expected_versions()
        found = merit()
        today = business_date(found.clock, found.fixed.time_zone)

        def put() -> Response:
            with found.acting(g.actor) as act:
                with suppress(NoPolicy):  # nothing measures them yet
                    require_fit(found.rulebook.in_force(act.session).policy, stated.attributes)
                client, is_new = put_client(act, reference, stated, today, expected)
                now = stated_of(act.session, client)
                answer = json_answer(
                    _written(reference, client.version, now), 201 if is_new else 200
                )
                answer.set_etag(str(client.version))
                return answer

        return retried(put)


_REFERENCE = Message("must be 1 to 64 letters, digits or . _ ~ -")


def _stated(body: object) -> Stated:
    try:
        read: Any = ClientSchema().load(body)  # type: ignore[arg-type]  # may be anything
    except ValidationError as error:
        raise Invalid(problems_in(error.messages)) from error
    contacts = tuple(Contact(**each) for each in read.pop("contacts"))
    return Stated(contacts=contacts, **read)


def expected_versions() -> Container[int | None] | None:
    """Return which versions the request says it replaces; see :func:`put_client`."""
    if "*" in request.if_none_match:
        return NONE
    if "If-Match" not in request.headers:
        return None
    if request.if_match.star_tag:
        return ANY
    tags = (tag or "" for tag in request.if_match.as_set())  # Werkzeug reads "" as None
    return {int(tag) for tag in tags if re.fullmatch("[0-9]{1,9}", tag)}


def _written(reference: str, version: int, stated: Stated) -> dict[str, Any]:
    """Write what is stated as it could be sent again."""
    contacts = [
        {
            "key": each.key,
            "name": each.name,
            "level": each.level,
            "birthday": each.birthday and each.birthday.isoformat(),
            "counterpart": each.counterpart,
        }
        for each in stated.contacts
    ]
    return {
        "client": reference,
        "version": version,
        **_known({"name": stated.name, "language": stated.language}),
        "attributes": dict(stated.attributes),
        "contacts": [_known(each) for each in contacts],
    }


def _known(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not None}
