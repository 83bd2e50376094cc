"""JSON Schemas of model interfaces; a mock whose models have no interface never loads this."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable


def fault_of(schema: Any) -> str | None:
    """What is wrong with a schema, or None."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return str(error.message)
    except (RecursionError, re.error) as error:
        return str(error)
    return None


def faults_of(instance: Any, schema: str) -> list[str]:
    """Where a value does not fit a schema, in the words of the validator that OpenSearch uses.

    A model may have any text for a schema: one that is none fits nothing.
    """
    try:
        read = json.loads(schema)
        fault = fault_of(read)
        if fault is not None:
            return [f"the schema can't be applied: {fault}"]
        validator = jsonschema.Draft202012Validator(read, registry=Registry())
        errors = sorted(validator.iter_errors(instance), key=lambda error: error.json_path)
    except (ValueError, Unresolvable, RecursionError, re.error) as error:
        return [f"the schema can't be applied: {type(error).__name__}"]
    return [_told(error) for error in errors]


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
