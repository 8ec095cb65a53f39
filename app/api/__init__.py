"""The HTTP API: what front-desk systems ask (flask-smorest, OpenAPI 3.1, problem+json)."""

from __future__ import annotations

from typing import Any

from apispec import BasePlugin
from flask import Flask, Response
from flask_smorest import Api

from app.api.activities import ActivitySchema, activities
from app.api.clients import ClientSchema, clients
from app.api.decisions import decisions
from app.api.docs import register_docs
from app.api.evaluations import AnswerSchema, evaluations
from app.api.groups import GroupMembersSchema, groups
from app.api.measures import measures
from app.api.operations import operations
from app.api.policy import policy
from app.api.problems import ProblemSchema, register_problems
from app.api.security import SCHEME
from app.api.standing import standing
from app.policy_schema import SchemaPlugin, schema_name
from app.services.evaluations import QuestionSchema
from app.watching import watch

LARGEST_BODY = 8 * 1024 * 1024


class _Api(Api):
    """flask-smorest without its own errors and pages of lists: see :mod:`app.api.problems`."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        pass

    def _register_responses(self) -> None:
        pass

    def _register_pagination_header(self) -> None:
        pass


class _ScopesPlugin(BasePlugin):
    """apispec's plugin that says of each operation what scopes of a key it takes."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def operation_helper(
        self,
        path: str | None = None,
        operations: dict[str, Any] | None = None,
        **described: Any,
    ) -> None:
        view: Any = self._app.view_functions[described["rule"].endpoint]
        for method, operation in (operations or {}).items():
            scopes = getattr(getattr(view.view_class, method), "scopes", ())
            operation["security"] = [{"key": [scope.value]} for scope in scopes]
            if scopes:
                said = " or ".join(f"`{scope.value}`" for scope in scopes)
                text = f"Takes a key with the scope {said}."
                operation["description"] = "\n\n".join(
                    filter(None, [operation.get("description"), text])
                )


def register_api(app: Flask) -> None:
    """Put the API, its description and its operations into an application."""
    app.config.update(
        API_TITLE="Merit",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        PROPAGATE_EXCEPTIONS=False,
    )
    api = _Api(
        app,
        spec_kwargs={
            "marshmallow_plugin": SchemaPlugin(schema_name_resolver=schema_name),
            "info": {
                "description": "Who is a VIP client, by written rules: the tier, the reason, "
                "what is missing for the next."
            },
            "extra_plugins": [_ScopesPlugin(app)],
        },
    )
    api.spec.components.schema("Problem", schema=ProblemSchema)
    api.spec.components.schema("Question", schema=QuestionSchema)
    api.spec.components.schema("Answer", schema=AnswerSchema)
    api.spec.components.schema("Client", schema=ClientSchema)
    api.spec.components.schema("GroupMembers", schema=GroupMembersSchema)
    api.spec.components.schema("Activity", schema=ActivitySchema)
    api.spec.components.security_scheme("key", SCHEME)
    about_clients = (standing, clients, groups, measures, activities, evaluations)
    for blueprint in (*about_clients, policy, decisions, operations):
        api.register_blueprint(blueprint)
    register_docs(app)
    register_problems(app)
    watch(app)
    app.after_request(_protect)


def _protect(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
