"""What the body of a request must look like, by operation, as far as the pages say it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from mlconform.conformance.contract.answers import Form
from mlconform.conformance.contract.model import Level

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Body:
    """The body of the requests for one operation: its schema, and whether one is needed."""

    form: Form
    validator: jsonschema_rs.Draft202012Validator
    required: bool


@dataclass(frozen=True, slots=True)
class Requests:
    """The bodies of all requests of a contract."""

    by_operation: Mapping[str, Body]

    @classmethod
    def of(cls, openapi: Mapping[str, Any]) -> Requests:
        """The bodies of an OpenAPI document."""
        return cls(dict(_bodies(openapi)))

    def problem(self, operation: str | None, body: bytes | None) -> str | None:
        """What the pages forbid of this body, or None.

        What only an example shows, such as the type of a member, need not be all that is allowed.
        """
        known = self.by_operation.get(operation or "")
        if known is None:
            return None
        if not body:
            return f"{operation} needs a body" if known.required else None
        try:
            sent = json.loads(body)
        except ValueError as error:
            return f"the body for {operation} is not JSON: {error}"
        if known.validator.is_valid(sent):
            return None
        for broken in known.validator.iter_errors(sent):
            if known.form.level_of(list(broken.schema_path)) in ("", Level.DOCUMENTED):
                where = "/".join(str(step) for step in broken.instance_path) or "the body"
                return f"{where} for {operation}: {broken.message[:200]}"
        return None


def _bodies(openapi: Mapping[str, Any]) -> Iterator[tuple[str, Body]]:
    components = openapi.get("components", {})
    for methods in openapi.get("paths", {}).values():
        for definition in methods.values():
            asked = definition.get("requestBody", {}) if isinstance(definition, Mapping) else {}
            schema = asked.get("content", {}).get(_JSON, {}).get("schema")
            if schema is not None:
                whole = {**schema, "components": components}
                form = Form(definition["operationId"], "request", whole, {})
                yield form.operation, Body(form, jsonschema_rs.Draft202012Validator(whole), asked["required"])
