"""Model interfaces: JSON Schemas of a model's input and output, and holding predict calls to them."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

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
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        schema = json.loads(text)
        if schema is not None:
            jsonschema.Draft202012Validator.check_schema(schema)
    except (ValueError, SchemaError, RecursionError, re.error) as error:
        reason = error.message if isinstance(error, SchemaError) else str(error)
        raise illegal_argument(
            f"The {side} schema of the model interface is not a JSON Schema: {reason}"
        ) from None
    return text


def check(side: str, schema: str | None, instance: Any, rules: Rules) -> None:
    """Hold what goes in or comes out to its schema. Raises ApiError 400 that says what does not fit."""
    loaded = None if schema is None else json.loads(schema)
    if loaded is None:
        return
    validator = jsonschema.Draft202012Validator(loaded, registry=Registry())
    try:
        errors = sorted(validator.iter_errors(instance), key=lambda error: error.json_path)
    except (Unresolvable, RecursionError, re.error) as error:
        problem = f"the schema can't be applied: {type(error).__name__}"
        raise _refusal(side, problem, instance, schema, rules) from None
    if errors:
        raise _refusal(side, ", ".join(_told(error) for error in errors), instance, schema, rules)


def _refusal(side: str, problem: str, instance: Any, schema: str | None, rules: Rules) -> ApiError:
    shown = json.dumps(instance, separators=(",", ":"), ensure_ascii=False)
    reason = f"Validation failed: [{problem}] for instance: {shown} with schema: {schema}"
    help_with_it = (
        f", if you think this is expected, please update your '{side}' field in the 'interface' field "
        "for this model"
    )
    told = help_with_it if rules.interface_refusal_helps else ""
    return status_error(400, f"Error validating {side} schema{told}: {reason}")


def _told(error: ValidationError) -> str:
    """One error in the words of the validator that OpenSearch uses, for the two most usual kinds."""
    path = error.json_path
    if error.validator == "required" and isinstance(error.validator_value, list):
        missing = re.match(r"'(.*)' is a required property", error.message)
        return f"{path}: required property '{missing[1] if missing else ''}' not found"
    if error.validator == "type":
        wanted = error.validator_value
        expected = f"[{', '.join(wanted)}]" if isinstance(wanted, list) else wanted
        return f"{path}: {_type_of(error.instance)} found, {expected} expected"
    return f"{path}: {error.message}"


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = ((int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next(name for kind, name in names if isinstance(value, kind))
