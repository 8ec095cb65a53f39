"""``GET /clients/{reference}/measures``: holds and overrides, as far as a front desk needs them."""

from __future__ import annotations

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from app.api.bodies import json_answer
from app.api.clients import REFERENCE_PARAMETER
from app.api.problems import problems
from app.api.security import requires
from app.clock import business_date
from app.merit import merit
from app.services.authority import Scope
from app.services.errors import NotThere
from app.services.measures import KINDS, last_day, of_client, phase
from app.services.tables import REFERENCE

SHOWN = ("asked", "granted", "in_force", "over")
"""Of what was refused or withdrawn nothing came: it is for those who decide."""

measures = Blueprint(
    "measures", __name__, url_prefix="/api/v1", description="What people decided beside the rules."
)


class MeasureSchema(Schema):
    """A hold or an override of a client."""

    measure = fields.Integer(required=True, metadata={"description": "Its number."})
    kind = fields.String(
        required=True,
        validate=validate.OneOf(KINDS),
        metadata={
            "description": "A hold keeps the tier held; a floor, a ceiling or exactly a tier goes "
            "over it."
        },
    )
    tier = fields.String(
        required=True, allow_none=True, metadata={"description": "Null for a hold."}
    )
    first = fields.Date(required=True)
    last = fields.Date(
        required=True, metadata={"description": "Before the first where it never began."}
    )
    state = fields.String(
        required=True,
        validate=validate.OneOf(SHOWN),
        metadata={"description": "As of today; granted is what has not begun."},
    )


class MeasuresSchema(Schema):
    client = fields.String(required=True)
    as_of = fields.Date(required=True, metadata={"description": "Today's business date."})
    measures = fields.List(fields.Nested(MeasureSchema), required=True)


@measures.route("/clients/<reference>/measures", parameters=[REFERENCE_PARAMETER])
class MeasuresView(MethodView):
    @measures.doc(**problems(401, 403, 404, 429, 503))
    @measures.response(200, MeasuresSchema)
    @requires(Scope.STANDING_READ)
    def get(self, reference: str) -> Response:
        """List a client's holds and overrides, by first day: asked for, granted, and over.

        Without reasons and without who asked or decided.
        """
        found = merit()
        today = business_date(found.clock, found.fixed.time_zone)
        if not REFERENCE.fullmatch(reference):
            raise NotThere("There is no client %(reference)s.", reference=reference)
        with found.database.reading() as session:
            listed = [each.measure for each in of_client(session, reference)]
        told = [
            {
                "measure": each.id,
                "kind": each.kind,
                "tier": each.tier,
                "first": each.first_day.isoformat(),
                "last": last_day(each).isoformat(),
                "state": phase(each, today),
            }
            for each in listed
            if phase(each, today) in SHOWN
        ]
        return json_answer({"client": reference, "as_of": today.isoformat(), "measures": told})
