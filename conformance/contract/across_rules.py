"""Rules that find where pages contradict each other, and examples that do not fit what is said of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import referencing.exceptions

from mlconform.conformance.contract import openapi
from mlconform.conformance.contract.examples import read_example
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.fields import Place
from mlconform.conformance.contract.history import bodies
from mlconform.conformance.contract.operations import Shown
from mlconform.conformance.contract.page_rules import Finding
from mlconform.conformance.contract.pages import Kind, Page, Unit, setting_names, unfenced

_DEFAULT = re.compile(r"\bdefault\b[^.`]*?(?:\bis\b|:)\s*`?\[?(-?[\w.]+)", re.IGNORECASE)
_SETTING = re.compile(r"^([\w.]+\.[\w.]+):", re.MULTILINE)
_LONGEST = 200


def across(facts: Facts) -> Iterator[Finding]:
    """What the rules over all pages find."""
    yield from _defaults(facts)
    yield from _listed_values(facts)
    yield from _answers(facts)
    yield from _not_json(facts)
    yield from _invalid(facts)


def _defaults(facts: Facts) -> Iterator[Finding]:
    """A setting whose default is not the same everywhere."""
    told: dict[str, list[tuple[str, Unit]]] = {}
    for page in facts.pages.values():
        for setting, value, unit in _told_defaults(page):
            told.setdefault(setting, []).append((value, unit))
    for setting, values in told.items():
        if len({value for value, _ in values}) > 1:
            listed = " and ".join(dict.fromkeys(value for value, _ in values))
            yield Finding(
                f"{values[0][1].page}/default/{setting}",
                f"The default of {setting} is {listed}, depending on the page.",
                tuple(unit for _, unit in values),
            )


def _told_defaults(page: Page) -> Iterator[tuple[str, str, Unit]]:
    """The defaults of settings that a page tells: in the section of the setting, before it or after it."""
    before: Unit | None = None
    current: str | None = None
    for unit in page.units:
        if unit.kind is Kind.HEADING and unit.level <= 2:
            before, current = None, None
        found = _DEFAULT.search(unit.text) if unit.kind is Kind.STATEMENT else None
        if unit.kind in (Kind.SETTINGS, Kind.CODE):
            current = _setting(unit)
            if current is not None and before is not None:
                yield current, _value(before), before
        elif found is not None and current is not None:
            yield current, _value(unit), unit
        elif found is not None:
            before = unit


def _value(unit: Unit) -> str:
    match = _DEFAULT.search(unit.text)
    return match[1].rstrip(".") if match else ""


def _setting(unit: Unit) -> str | None:
    if unit.kind is Kind.SETTINGS:
        return next(iter(setting_names(read_example(unit.text).body)), None)
    match = _SETTING.search(unfenced(unit.text))
    return match[1] if match else None


def _listed_values(facts: Facts) -> Iterator[Finding]:
    """A member of an example whose value is not in the table that lists the valid values of such members."""
    listed: dict[str, list[Unit]] = {}
    for unit in facts.units.values():
        match = re.match(r"valid-([a-z_-]+?)s$", unit.section)
        if match and unit.kind is Kind.ROW:
            listed.setdefault(match[1].replace("-", "_"), []).append(unit)
    for entry in facts.shown if listed else ():
        for name, value in _scalars(entry.example.body):
            rows = listed.get(name)
            if rows and value not in {row.key.rsplit("/", 1)[-1] for row in rows}:
                yield Finding(
                    f"{entry.unit.page}/unlisted-value/{name}/{value}",
                    f"The example has {value!r} for {name}, which the table of valid values lacks.",
                    (entry.unit, *rows),
                )


def _scalars(value: Any) -> Iterator[tuple[str, Any]]:
    """The members of a body at any depth that are text or numbers."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        if isinstance(inner, dict | list):
            yield from _scalars(inner)
        else:
            yield str(name), inner


def _answers(facts: Facts) -> Iterator[Finding]:
    """Members of documented answers against the tables of answer fields: type and listed values."""
    for entry in facts.shown:
        if not entry.status or not isinstance(entry.example.body, dict):
            continue
        for field in facts.fields_at(entry.operation or "", Place.ANSWER):
            if field.name not in entry.example.body:
                continue
            value = entry.example.body[field.name]
            schema = openapi.constraint(field)
            if not jsonschema.Draft202012Validator(schema).is_valid(value):
                yield Finding(
                    f"{entry.unit.page}/answer-member/{field.name}",
                    f"The table has {field.name} as {field.type}, an example answers {value!r}.",
                    (field.unit, entry.unit),
                )


def _not_json(facts: Facts) -> Iterator[Finding]:
    """Examples that a reader of JSON refuses: comments, left out parts, triple quotes."""
    for entry in facts.shown:
        text = unfenced(entry.unit.text)
        body = text.split("\n", 1)[-1] if entry.example.method else text
        if entry.example.has_body and not _is_json(body):
            yield Finding(
                f"{entry.unit.page}/not-json/{entry.unit.key.removeprefix(f'{entry.unit.page}/')}",
                "The body of the example is not JSON: it has comments, leaves parts out or is cut off.",
                (entry.unit,),
            )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _invalid(facts: Facts) -> Iterator[Finding]:
    """Examples that are JSON and do not fit the schema that was built for their operation."""
    document = openapi.document(facts)
    schemas = {
        (operation["operationId"], part): {**schema, "components": document["components"]}
        for methods in document["paths"].values()
        for operation in methods.values()
        for part, schema in bodies(operation)
    }
    # A page's own schema may be none; against that nothing can be held.
    readable = {place: schema for place, schema in schemas.items() if _is_schema(schema)}
    for entry in facts.shown:
        part = "request" if entry.status is None else str(entry.status)
        schema = readable.get((entry.operation or "", part))
        if schema is None or not entry.example.has_body or entry.example.problem is not None:
            continue
        why = _mismatch(schema, entry)
        if why is not None:
            yield Finding(
                f"{entry.unit.page}/invalid-example/{entry.unit.key.removeprefix(f'{entry.unit.page}/')}",
                f"The example does not fit the schema of {entry.operation}: {why}",
                (entry.unit,),
            )


def _is_schema(schema: dict[str, Any]) -> bool:
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.exceptions.SchemaError:
        return False
    return True


def _mismatch(schema: dict[str, Any], entry: Shown) -> str | None:
    """Why the example does not fit; None where it does, or where the schema refers to nothing."""
    try:
        error = jsonschema.exceptions.best_match(
            jsonschema.Draft202012Validator(schema).iter_errors(entry.example.body)
        )
    except referencing.exceptions.Unresolvable:
        return None
    return None if error is None else f"{error.json_path}: {error.message[:_LONGEST]}"
