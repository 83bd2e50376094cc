"""JSON Schemas (2020-12) out of table types and out of example values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mlconform.conformance.contract.model import Level

Schema = dict[str, Any]

_TYPES = {
    "string": "string",
    "integer": "integer",
    "int": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "json object": "object",
    "map": "object",
    "array": "array",
    "json array": "array",
    "list": "array",
    "null": "null",
}
_ARRAY_OF = re.compile(r"(?:array|list) of (\w+?)s?$")
_ID = re.compile(r"(?=.*\d)(?=.*[A-Z])[A-Za-z0-9_-]{20,22}")
# A value out of a list of such, not a name or a text.
_WORD = re.compile(r"[A-Z_]{2,}|[a-z_]{2,}")
_INT32 = 2**31


@dataclass(frozen=True, slots=True)
class Sample:
    """An example value and where it stands."""

    value: Any
    source: str


def of_type(text: str) -> Schema | None:
    """The schema of a type as a table names it, None where it names none."""
    name = re.sub(r"[`*]", "", text).strip().lower()
    if name in _TYPES:
        return {"type": _TYPES[name]}
    inner = _ARRAY_OF.match(name) or re.match(r"(\w+)\[\]$", name)
    if inner and inner[1] in _TYPES:
        return {"type": "array", "items": {"type": _TYPES[inner[1]]}}
    return None


def annotated(schema: Schema, sources: Iterable[str], level: Level) -> Schema:
    """The schema with where it comes from and how firmly it stands."""
    return schema | {"x-source": sorted(set(sources)), "x-level": str(level)}


def infer(samples: Sequence[Sample], *, answer: bool) -> Schema:
    """The schema that all samples have in common; every member is of level `example`.

    In an answer, a member that every sample has is required; a request's example requires nothing.
    A member whose name looks like an id stands for any id. What an answer shows as one word, such as a
    status, is kept as an example.
    """
    objects = [sample for sample in samples if isinstance(sample.value, dict)]
    elements = [
        Sample(item, sample.source)
        for sample in samples
        if isinstance(sample.value, list)
        for item in sample.value
    ]
    names = sorted({_type_name(sample.value) for sample in samples})
    if "number" in names and "integer" in names:
        names.remove("integer")
    schema: Schema = {"type": names[0] if len(names) == 1 else names}
    if any(type(sample.value) is int and abs(sample.value) >= _INT32 for sample in samples):
        schema["format"] = "int64"
    texts = [sample.value for sample in samples if isinstance(sample.value, str)]
    if answer and any(map(_WORD.fullmatch, texts)):
        schema["examples"] = sorted(text for text in set(texts) if _WORD.fullmatch(text))
    if elements:
        schema["items"] = infer(elements, answer=answer)
    if objects:
        schema |= _members(objects, answer=answer)
    return schema


def _members(objects: Sequence[Sample], *, answer: bool) -> Schema:
    names = list(dict.fromkeys(name for sample in objects for name in sample.value))
    schema: Schema = {}
    properties = {name: _member(name, objects, answer=answer) for name in names if not _ID.fullmatch(name)}
    ids = [
        Sample(value, sample.source)
        for sample in objects
        for name, value in sample.value.items()
        if _ID.fullmatch(name)
    ]
    required = [name for name in properties if all(name in sample.value for sample in objects)]
    if answer and required:
        schema["required"] = required
    if properties:
        schema["properties"] = properties
    if ids:
        sources = [sample.source for sample in ids]
        schema["additionalProperties"] = annotated(infer(ids, answer=answer), sources, Level.EXAMPLE)
    return schema


def _member(name: str, objects: Sequence[Sample], *, answer: bool) -> Schema:
    samples = [Sample(sample.value[name], sample.source) for sample in objects if name in sample.value]
    sources = [sample.source for sample in samples]
    return annotated(infer(samples, answer=answer), sources, Level.EXAMPLE)


def _type_name(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names[type(value)]


def accepts(schema: Schema, value: Any) -> bool:
    """Whether the value is of the schema's type; an integer is a number, as JSON Schema has it."""
    allowed = schema.get("type", [])
    names = {allowed} if isinstance(allowed, str) else set(allowed)
    name = _type_name(value)
    return not names or name in names or (name == "integer" and "number" in names)


def place(root: Schema, path: Sequence[str], schema: Schema) -> None:
    """Put the schema of a member into an object schema, in place; what is there already stays beneath it.

    Objects on the way are made where they are missing; a name that ends with `[]` leads to the elements of a
    list. A keyword with the value None takes away what was there.
    """
    *parents, name = path
    for parent in parents:
        listed = parent.endswith("[]")
        member = root.setdefault("properties", {}).setdefault(
            parent.removesuffix("[]"), {"type": "array" if listed else "object"}
        )
        root = member.setdefault("items", {"type": "object"}) if listed else member
    properties = root.setdefault("properties", {})
    placed = properties.get(name, {}) | schema
    properties[name] = {keyword: value for keyword, value in placed.items() if value is not None}
