"""Model interfaces: JSON Schemas of a model's input and output, and holding predict calls to them."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from mlconform.mock_server.opensearch_ml.bodies.fields import BodyParser, Fields
from mlconform.mock_server.opensearch_ml.errors import ApiError, status_error
from mlconform.mock_server.opensearch_ml.prediction import gson
from mlconform.mock_server.opensearch_ml.rules import Rules

SIDES = ("input", "output")


def read_interface(
    fields: Fields, current: dict[str, str] | None, rules: Rules, parser: BodyParser
) -> dict[str, str] | None:
    """The schemas after what was sent, each as JSON text; a side that is not named stays as it is.

    Nothing is said here of what the texts hold. Null removes a side where the rules say so, and an interface
    without sides is none; else null is kept as the text `null`.
    """
    sent = fields.mapping("interface", parser)
    if sent is None:
        return current
    schemas = dict(current or {})
    for side in SIDES:
        if side not in sent:
            continue
        value = sent.get(side)
        if value is None and rules.interface_nulls_remove:
            schemas.pop(side, None)
        else:
            schemas[side] = value if isinstance(value, str) else gson.to_text(value)
    return schemas or (None if rules.interface_nulls_remove else {})


def is_schema(text: str | None) -> TypeGuard[str]:
    """Whether there is a schema, for the text `null` is none."""
    return text is not None and text.strip() != "null"


def check(side: str, schema: str, instance: Any, rules: Rules) -> None:
    """Hold what goes in or comes out to its schema. Raises ApiError 400 that says what does not fit."""
    from mlconform.mock_server.opensearch_ml.prediction.json_schemas import faults_of  # noqa: PLC0415 - a fast start

    faults = faults_of(instance, schema)
    if faults:
        raise _refusal(side, ", ".join(faults), instance, schema, rules)


def _refusal(side: str, problem: str, instance: Any, schema: str, rules: Rules) -> ApiError:
    shown = json.dumps(instance, separators=(",", ":"), ensure_ascii=False)
    reason = f"Validation failed: [{problem}] for instance: {shown} with schema: {schema}"
    help_with_it = (
        f", if you think this is expected, please update your '{side}' field in the 'interface' field "
        "for this model"
    )
    told = help_with_it if rules.interface_refusal_helps else ""
    return status_error(400, f"Error validating {side} schema{told}: {reason}")
