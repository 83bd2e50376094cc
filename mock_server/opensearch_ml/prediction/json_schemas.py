"""JSON Schemas of model interfaces; a mock whose models have no interface never loads this."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

_FIRST = ("properties", "patternProperties")
_LAST = ("unevaluatedItems", "unevaluatedProperties")


def fault_of(schema: Any) -> str | None:
    """What is wrong with a schema, or None."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return str(error.message)
    except (RecursionError, OverflowError, re.error) as error:
        return str(error)
    return None


def faults_of(instance: Any, schema: str) -> list[str]:
    """Where a value does not fit a schema, in the words and the order of the validator of OpenSearch.

    A model may have any text for a schema: one that is none fits nothing.
    """
    try:
        read = json.loads(schema)
        fault = fault_of(read)
        if fault is not None:
            return [f"the schema can't be applied: {fault}"]
        validator = jsonschema.Draft202012Validator(_in_order(read), registry=Registry())
        return [told for error in validator.iter_errors(instance) for told in _told(error)]
    except (ValueError, Unresolvable, RecursionError, OverflowError, re.error) as error:
        return [f"the schema can't be applied: {type(error).__name__}"]


def _in_order(schema: Any) -> Any:
    """The same schema with its keywords in the order in which they are looked at."""
    if isinstance(schema, list):
        return [_in_order(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _in_order(schema[name]) for name in sorted(schema, key=_rank)}


def _rank(keyword: str) -> int:
    if keyword in _LAST:
        return len(_FIRST) + 1
    return _FIRST.index(keyword) if keyword in _FIRST else len(_FIRST)


def _told(error: ValidationError) -> Iterator[str]:
    """One error in the words of OpenSearch's validator; some are several errors there."""
    path, keyword = _path(error), str(error.validator)
    if keyword == "anyOf":
        for inner in error.context or ():
            yield from _told(inner)
        return
    if keyword == "required":
        # One error a missing property comes already; its name is told nowhere but in the message.
        missing = re.match(r"'(.*)' is a required property", error.message)
        yield f"{path}: required property '{missing[1] if missing else ''}' not found"
        return
    if keyword == "additionalProperties":
        for name in _extras(error.schema, error.instance):
            yield f"{path}: property '{name}' {_NOT_ALLOWED}"
        return
    tell = _WORDS.get(keyword)
    yield f"{path}: {error.message if tell is None else tell(error.validator_value, error.instance)}"
    if keyword == "oneOf":
        for inner in error.context or ():
            yield from _told(inner)


def _path(error: ValidationError) -> str:
    """Where an error is: names of any kind come after a dot."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
    return "$" + "".join(steps)


def _extras(schema: Any, instance: Any) -> list[str]:
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return [
        name
        for name in instance
        if name not in known and not any(re.search(pattern, name) for pattern in patterns)
    ]


_NOT_ALLOWED = "is not defined in the schema and the schema does not allow additional properties"


def _type_words(wanted: Any, value: Any) -> str:
    expected = f"[{', '.join(wanted)}]" if isinstance(wanted, list) else wanted
    return f"{_type_of(value)} found, {expected} expected"


def _text(value: Any) -> str:
    """A value as the validator puts it into a message: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _one_of_words(schemas: Any, value: Any) -> str:
    """A second schema that is valid ends the search."""
    valid = [
        str(index)
        for index, schema in enumerate(schemas)
        if jsonschema.Draft202012Validator(schema, registry=Registry()).is_valid(value)
    ][:2]
    which = f" with indexes '{', '.join(valid)}'" if valid else ""
    return f"must be valid to one and only one schema, but {len(valid)} are valid{which}"


_WORDS: dict[str, Callable[[Any, Any], str]] = {
    "type": _type_words,
    "enum": lambda known, _value: (
        f"does not have a value in the enumeration [{', '.join(_text(one) for one in known)}]"
    ),
    "const": lambda wanted, _value: f"must be the constant value '{_text(wanted)}'",
    "minimum": lambda limit, _value: f"must have a minimum value of {_text(limit)}",
    "maximum": lambda limit, _value: f"must have a maximum value of {_text(limit)}",
    "exclusiveMinimum": lambda limit, _value: f"must have an exclusive minimum value of {_text(limit)}",
    "exclusiveMaximum": lambda limit, _value: f"must have an exclusive maximum value of {_text(limit)}",
    "multipleOf": lambda factor, _value: f"must be multiple of {_text(factor)}",
    "pattern": lambda pattern, _value: f"does not match the regex pattern {pattern}",
    "minLength": lambda limit, _value: f"must be at least {limit} characters long",
    "maxLength": lambda limit, _value: f"must be at most {limit} characters long",
    "minItems": lambda limit, value: f"must have at least {limit} items but found {len(value)}",
    "maxItems": lambda limit, value: f"must have at most {limit} items but found {len(value)}",
    "uniqueItems": lambda _wanted, _value: "must have only unique items in the array",
    "minProperties": lambda limit, _value: f"must have at least {limit} properties",
    "maxProperties": lambda limit, _value: f"must have at most {limit} properties",
    "not": lambda schema, _value: f"must not be valid to the schema {_text(schema)}",
    "oneOf": _one_of_words,
}


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = ((int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))
    return next(name for kind, name in names if isinstance(value, kind))
