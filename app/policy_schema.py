"""The JSON Schema of policy documents, made from the schemas that read them."""

from __future__ import annotations

from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import fields

from rules.document.criteria import JSON_SCHEMA, PARTS_JSON_SCHEMA, CriteriaField
from rules.document.fields import Union
from rules.document.schemas import PolicySchema


class SchemaPlugin(MarshmallowPlugin):
    """apispec's plugin, taught the shapes of policy documents."""

    def init_spec(self, spec: APISpec) -> None:
        super().init_spec(spec)
        self.converter.add_attribute_function(_own_shape)  # type: ignore[union-attr]  # set just above
        if "Criteria" not in spec.components.schemas:
            spec.components.schema("Criteria", _with_prefix(JSON_SCHEMA))
            spec.components.schema("Parts", _with_prefix(PARTS_JSON_SCHEMA))


def _own_shape(converter: Any, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    if isinstance(field, CriteriaField):
        return {"$ref": f"{_COMPONENTS}Criteria"}
    if isinstance(field, Union):
        shapes = [converter.resolve_nested_schema(each) for each in field.shapes.values()]
        return {"oneOf": shapes}
    return {}


def schema_name(schema: Any) -> str:
    """Name a component after its schema class, without the word Schema."""
    cls = schema if isinstance(schema, type) else type(schema)
    return str(cls.__name__).removesuffix("Schema")


def policy_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) that every policy document meets.

    What depends on other parts of a document — that a reference names something, that an
    operator suits a metric — no schema can say; ``policy validate`` does.
    """
    spec = APISpec(
        title="Merit",
        version="1",
        openapi_version="3.1.0",
        plugins=[SchemaPlugin(schema_name_resolver=schema_name)],
    )
    spec.components.schema("Policy", schema=PolicySchema)
    definitions = _renamed(spec.components.schemas, _COMPONENTS, _DEFINITIONS)
    policy = definitions.pop("Policy")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A Merit policy document",
        **policy,
        "$defs": definitions,
    }


_COMPONENTS, _DEFINITIONS = "#/components/schemas/", "#/$defs/"


def _with_prefix(schema: dict[str, Any]) -> dict[str, Any]:
    return dict(_renamed(schema, _DEFINITIONS, _COMPONENTS))


def _renamed(node: Any, old: str, new: str) -> Any:
    """Return a copy of a schema with its references moved to another place."""
    if isinstance(node, dict):
        return {
            key: value.replace(old, new) if key == "$ref" else _renamed(value, old, new)
            for key, value in node.items()
        }
    return [_renamed(each, old, new) for each in node] if isinstance(node, list | tuple) else node
