"""``PUT /groups/{reference}``: all members of a household or company group."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, g
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import ValidationError, fields, validates_schema

from app.api.bodies import json_answer, json_body
from app.api.clients import expected_versions, version_headers
from app.api.problems import problems
from app.api.security import requires
from app.clock import business_date
from app.database import retried
from app.merit import merit
from app.services.authority import Scope
from app.services.errors import Invalid
from app.services.evaluations import ClientReference
from app.services.groups import Membered, membered, put_group
from app.services.tables import REFERENCE
from rules.document import Problem, problems_in
from rules.document.fields import BusinessDay, Distinct, StrictSchema
from rules.messages import Message

MOST_MEMBERS = 100

groups = Blueprint(
    "groups", __name__, url_prefix="/api/v1", description="Households and company groups."
)


class GroupMembersSchema(StrictSchema):
    """All members of a group; who is left out is a member no more."""

    members = Distinct(
        ClientReference(),
        0,
        MOST_MEMBERS,
        required=True,
        metadata={"description": "The clients; none to dissolve the group."},
    )
    head = ClientReference(metadata={"description": "Which of them heads the group."})
    since = BusinessDay(
        data_key="from",
        metadata={
            "description": "The day from which this is so; today if left out. Not ahead, and not "
            "before a membership of one of them last changed."
        },
    )

    @validates_schema
    def _is_headed_by_a_member(self, data: dict[str, Any], **kwargs: Any) -> None:
        if not data["members"] and "head" in data:
            raise ValidationError({"head": [Message("must be left out: there are no members")]})
        if data["members"] and "head" not in data:
            raise ValidationError({"head": [Message("is missing")]})
        if "head" in data and data["head"] not in data["members"]:
            raise ValidationError({"head": [Message("must be one of the members")]})


class StatedGroupSchema(StrictSchema):
    """Who is in a group now, and as which version."""

    group = ClientReference(required=True)
    version = fields.Integer(required=True)
    members = fields.List(ClientReference(), required=True)
    head = ClientReference()


@groups.route(
    "/groups/<reference>",
    parameters=[
        {
            "in": "path",
            "name": "reference",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{REFERENCE.pattern}$"},
            "description": "The company's own number for the group.",
        }
    ],
)
class GroupView(MethodView):
    @groups.doc(
        parameters=version_headers("If-Match", "If-None-Match"),
        requestBody={
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/GroupMembers"}}
            },
        },
        **problems(400, 401, 403, 404, 409, 412, 413, 415, 422, 429, 503),
    )
    @groups.response(200, StatedGroupSchema)
    @groups.alt_response(201, schema=StatedGroupSchema, description="The group is new.")
    @requires(Scope.CLIENTS_WRITE)
    def put(self, reference: str) -> Response:
        """State all members of a group, and its head, from a day on.

        A client is in one group at a time. The same members again change nothing.
        """
        if not REFERENCE.fullmatch(reference):
            message = Message("must be 1 to 64 letters, digits or . _ ~ -")
            raise Invalid([Problem("reference", message)])
        found = merit()
        today = business_date(found.clock, found.fixed.time_zone)
        stated, day = _stated(json_body(), today)
        expected = expected_versions()

        def put() -> Response:
            with found.acting(g.actor) as act:
                group, is_new = put_group(act, reference, stated, day, expected)
                now = membered(act.session, group)
                said = {"group": reference, "version": group.version, "members": list(now.members)}
                head = {} if now.head is None else {"head": now.head}
                answer = json_answer({**said, **head}, 201 if is_new else 200)
                answer.set_etag(str(group.version))
                return answer

        return retried(put)


def _stated(body: object, today: date) -> tuple[Membered, date]:
    """Read who is in a group, and from which day on."""
    try:
        read: Any = GroupMembersSchema().load(body)  # type: ignore[arg-type]  # may be anything
    except ValidationError as error:
        raise Invalid(problems_in(error.messages)) from error
    day = read.get("since", today)
    if day > today:
        raise Invalid([Problem("from", Message("must not be after today"))])
    return Membered(tuple(read["members"]), read.get("head")), day
