"""Model interfaces: JSON Schemas of a model's input and output, and holding predict calls to them."""

from __future__ import annotations

import json
from typing import Any, TypeGuard

from mock_server.opensearch_ml.errors import ApiError, illegal_argument, status_error
from mock_server.opensearch_ml.fields import Fields
from mock_server.opensearch_ml.rules import Rules

SIDES = ("input", "output")


def read_interface(fields: Fields, current: dict[str, str], rules: Rules) -> dict[str, str]:
    """The schemas after what was sent, each as JSON text; a side that is not named stays as it is.

    Null removes a side where the rules say so, and else is kept as the text `null`. Raises ApiError 400 for
    what is no JSON Schema.
    """
    if fields.get("interface") is None:
        return current
    sent = fields.object("interface")
    schemas = dict(current)
    for side in SIDES:
        if sent is None or side not in sent:
            continue
        value = sent.get(side)
        if value is None and rules.interface_nulls_remove:
            schemas.pop(side, None)
        else:
            schemas[side] = _schema_text(side, value)
    return schemas


def _schema_text(side: str, value: Any) -> str:
    from mock_server.opensearch_ml.json_schemas import fault_of  # noqa: PLC0415 - a fast start

    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        schema = json.loads(text)
        reason = None if schema is None else fault_of(schema)
    except (ValueError, RecursionError) as error:
        reason = str(error)
    if reason is not None:
        raise illegal_argument(f"The {side} schema of the model interface is not a JSON Schema: {reason}")
    return text


def is_schema(text: str | None) -> TypeGuard[str]:
    """Whether there is a schema, for the text `null` is none."""
    return text is not None and text.strip() != "null"


def check(side: str, schema: str, instance: Any, rules: Rules) -> None:
    """Hold what goes in or comes out to its schema. Raises ApiError 400 that says what does not fit."""
    from mock_server.opensearch_ml.json_schemas import faults_of  # noqa: PLC0415 - a fast start

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
