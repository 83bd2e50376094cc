"""The contract as an OpenAPI 3.1 document, and its bodies as JSON Schemas of their own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from mlconform.conformance.contract import fragment
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.fields import Field, Place
from mlconform.conformance.contract.model import Level
from mlconform.conformance.contract.operations import Shown
from mlconform.conformance.contract.overlay import Member, OperationEntry
from mlconform.conformance.contract.schemas import Sample, Schema, annotated, infer, of_type, place

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_METHODS_WITH_BODY = {"POST", "PUT", "PATCH"}


def document(facts: Facts) -> dict[str, Any]:
    """The OpenAPI document of one version; every operation and member says its source and level."""
    overlay = facts.overlay
    paths: dict[str, Any] = {}
    for operation in facts.operations:
        route = operation.route
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(operation, facts)
    components = copy.deepcopy(dict(overlay.components))
    schemas = components.setdefault("schemas", {})
    for name, schema in schemas.items():
        _cite(schema, f"component {name}", facts)
    for name, schema in _fragment_schemas(facts):
        schemas.setdefault(name, schema)
    if overlay.error is not None:
        components["responses"] = {
            "Error": {"description": "An error answer", "content": _json(_ref(overlay.error))}
        }
    return {
        "openapi": "3.1.0",
        "info": {"title": overlay.title, "version": facts.version},
        "jsonSchemaDialect": DIALECT,
        "servers": [{"url": url} for url in overlay.servers],
        "security": [dict(entry) for entry in overlay.security],
        "paths": paths,
        "components": components,
    }


def _cite(schema: Schema, where: str, facts: Facts) -> None:
    """Put the lines of the units that a shared schema names under `x-units` in their place."""
    units = schema.pop("x-units", [])
    if units:
        schema["x-source"] = [str(facts.source(unit)) for unit in facts.found(units, where)]


def _operation(operation: OperationEntry, facts: Facts) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        **annotated({}, _operation_sources(operation, facts), operation.level),
    }
    parameters = [*_path_parameters(operation), *_query_parameters(operation, facts)]
    if parameters:
        rendered["parameters"] = parameters
    body = request_schema(operation, facts)
    if body is not None:
        rendered["requestBody"] = {"required": operation.body_required, "content": _json(body)}
    rendered["responses"] = dict(_responses(operation, facts))
    return rendered


def _path_parameters(operation: OperationEntry) -> Iterator[dict[str, Any]]:
    for name in operation.route.parameters:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameters(operation: OperationEntry, facts: Facts) -> Iterator[dict[str, Any]]:
    for field in facts.fields_at(operation.id, Place.QUERY):
        source = [str(facts.source(field.unit))]
        schema = annotated(constraint(field), source, Level.DOCUMENTED)
        yield {"name": field.name, "in": "query", "required": bool(field.required), "schema": schema}


def _operation_sources(operation: OperationEntry, facts: Facts) -> list[str]:
    listed = [str(facts.source(unit)) for unit in facts.listed.get(operation.id, ())]
    return listed + [str(source) for source in facts.sources(operation.cites, f"operation {operation.id}")]


def request_schema(operation: OperationEntry, facts: Facts) -> Schema | None:
    """What a request's body may be: fields of tables, members of examples, what the overlay settles.

    Open to members that no page names. None for an operation without a body.
    """
    requests = [entry for entry in facts.shown if entry.operation == operation.id and entry.status is None]
    samples = [
        Sample(entry.example.body, str(facts.source(entry.unit)))
        for entry in requests
        if isinstance(entry.example.body, dict)
    ]
    fields = facts.fields_at(operation.id, Place.REQUEST)
    members = [member for member in operation.members if facts.found(member.units, _where(operation, member))]
    if operation.route.method not in _METHODS_WITH_BODY:
        return None
    if not samples and not fields and not members and operation.request is None:
        return None
    schema: Schema = infer(samples, answer=False) if samples else {"type": "object"}
    schema |= copy.deepcopy(operation.request or {})
    _place_fields(schema, fields, facts)
    required = _required(fields)
    if required:
        schema["required"] = required
    for member in members:
        sources = [str(facts.source(unit)) for unit in facts.found(member.units, _where(operation, member))]
        settled = {"x-settled": member.contradiction} if member.contradiction else {}
        place(schema, member.path, annotated(copy.deepcopy(member.schema), sources, member.level) | settled)
    return schema


def _where(operation: OperationEntry, member: Member) -> str:
    return f"operation {operation.id}, member {'/'.join(member.path)}"


def _place_fields(schema: Schema, fields: Iterable[Field], facts: Facts) -> None:
    """Put the fields of tables into an object schema; a name in angle brackets stands for any name."""
    by_name: dict[str, list[Field]] = {}
    for field in fields:
        if "<" not in field.name:
            by_name.setdefault(field.name, []).append(field)
    for name, same in by_name.items():
        sources = [str(facts.source(field.unit)) for field in same]
        place(schema, name.split("."), annotated(constraint(*same), sources, Level.DOCUMENTED))


def constraint(*same: Field) -> Schema:
    """What the rows for one field say of its value: of values that several tables list, all are allowed."""
    found: Schema = {}
    for field in same:
        found |= of_type(field.type) or {}
        if field.default is not None:
            found["default"] = field.default
    if all(field.values for field in same):
        found["enum"] = list(dict.fromkeys(value for field in same for value in field.values))
    return found


def _required(fields: Iterable[Field]) -> list[str]:
    """The fields that every table lists as required: a page has one for each kind of request."""
    by_table: dict[int, set[str]] = {}
    for field in fields:
        if "." not in field.name:
            names = by_table.setdefault(field.table, set())
            names |= {field.name} if field.required else set()
    return sorted(set.intersection(*by_table.values())) if by_table else []


def _responses(operation: OperationEntry, facts: Facts) -> Iterator[tuple[str, Any]]:
    """By status: what examples show, a page's own OpenAPI declares, the overlay gives; the last wins."""
    found: dict[str, Any] = {}
    answers = [entry for entry in facts.shown if entry.operation == operation.id and entry.status]
    for status in {str(entry.status) for entry in answers}:
        found[status] = _inferred(status, [entry for entry in answers if str(entry.status) == status], facts)
    found |= dict(_fragment_responses(operation, facts))
    for answer in operation.answers:
        units = facts.found(answer.units, f"operation {operation.id}")
        if answer.units and not units:
            continue
        if answer.schema is None:
            entries = [entry for entry in facts.shown if entry.unit in units]
            found[answer.status] = _inferred(answer.status, entries, facts)
        else:
            sources = [str(facts.source(unit)) for unit in units] or _operation_sources(operation, facts)
            found[answer.status] = _response(answer.status, answer.schema, sources, operation.level)
    _document_answer(operation, found, facts)
    if facts.overlay.error is not None:
        found["default"] = {"$ref": "#/components/responses/Error"}
    elif not found:
        found["default"] = {"description": "Any answer"}
    yield from sorted(found.items())


def _document_answer(operation: OperationEntry, found: dict[str, Any], facts: Facts) -> None:
    """Give the answer of success what the tables of answer fields say of it, and its links."""
    fields = facts.fields_at(operation.id, Place.ANSWER)
    if not fields and not operation.links:
        return
    response = found.setdefault("200", {"description": _phrase("200"), "content": _json({"type": "object"})})
    if fields:
        response.setdefault("content", _json({"type": "object"}))
        _place_fields(_schema_of(response), fields, facts)
    known = {other.id for other in facts.operations}
    links = {
        target: {
            "operationId": target,
            "parameters": {name: f"$response.body#/{member}" for name, member in taken.items()},
        }
        for target, taken in operation.links.items()
        if target in known
    }
    if links:
        response["links"] = links


def _fragment_schemas(facts: Facts) -> Iterator[tuple[str, Schema]]:
    """The shared schemas that the pages' own OpenAPI documents have, each with its lines."""
    for page_id, found in facts.fragments.items():
        for unit in facts.pages[page_id].units:
            if unit.path[:2] == ("components", "schemas") and len(unit.path) == 3:
                schema = fragment.bare(fragment.at(found, *unit.path))
                yield unit.path[2], annotated(schema, [str(facts.source(unit))], Level.DOCUMENTED)


def _fragment_responses(operation: OperationEntry, facts: Facts) -> Iterator[tuple[str, Any]]:
    """The answers that a page's own OpenAPI document declares with a schema."""
    responses = ("paths", operation.route.path, operation.route.method.lower(), "responses")
    for page_id, found in facts.fragments.items():
        for unit in facts.pages[page_id].units:
            if unit.path[:4] != responses or len(unit.path) < 5:
                continue
            content = fragment.at(found, *unit.path, "content", "application/json")
            if "schema" in content:
                status, source = unit.path[4], [str(facts.source(unit))]
                schema = fragment.bare(fragment.at(content, "schema"))
                yield status, _response(status, schema, source, Level.DOCUMENTED)


def _inferred(status: str, entries: list[Shown], facts: Facts) -> dict[str, Any]:
    """The answer that the examples show; without one that can be read, any body."""
    samples = [
        Sample(entry.example.body, str(facts.source(entry.unit)))
        for entry in entries
        if entry.example.has_body and entry.example.problem is None
    ]
    if not samples:
        return {"description": _phrase(status)}
    return _response(
        status, infer(samples, answer=True), [sample.source for sample in samples], Level.EXAMPLE
    )


def _response(status: str, schema: Schema, sources: list[str], level: Level) -> dict[str, Any]:
    content = _json(copy.deepcopy(schema))
    return {"description": _phrase(status), **annotated({}, sources, level), "content": content}


def _phrase(status: str) -> str:
    known = {str(int(code)): code.phrase for code in HTTPStatus}
    return known.get(status, "Any answer")


def _json(schema: Schema) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def schemas(document: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    """Each request and answer body of the document as a JSON Schema of its own, by file name.

    References point into the schema itself, so that a file can be used alone.
    """
    shared = document["components"].get("schemas", {})
    for name, schema in sorted(_bodies(document)):
        own = {
            "$schema": DIALECT,
            "$id": name,
            **copy.deepcopy(schema),
        }
        needed = _referenced(schema, shared)
        if needed:
            own["$defs"] = {key: copy.deepcopy(shared[key]) for key in sorted(needed)}
        yield name, _relocated(own)


def as_json(schema: Schema) -> bytes:
    """The bytes of a schema file."""
    return (json.dumps(schema, indent=2, ensure_ascii=False) + "\n").encode()


def _bodies(document: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            if "requestBody" in operation:
                yield f"{name}.request.schema.json", _schema_of(operation["requestBody"])
            for status, response in operation["responses"].items():
                if "content" in response and _schema_of(response):
                    yield f"{name}.{status}.schema.json", _schema_of(response)
    for response in document["components"].get("responses", {}).values():
        yield "error.schema.json", _schema_of(response)


def _schema_of(body: dict[str, Any]) -> Schema:
    schema: Schema = body["content"]["application/json"]["schema"]
    return schema


def _referenced(schema: Any, shared: dict[str, Schema]) -> set[str]:
    """The names of shared schemas that this one needs, directly or through others."""
    found: set[str] = set()
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            target = value.get("$ref")
            if isinstance(target, str) and (name := target.rsplit("/", 1)[-1]) not in found:
                found.add(name)
                waiting.append(shared[name])
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def _relocated(value: Any) -> Any:
    """The same with references to the document's components made references to `$defs`."""
    if isinstance(value, list):
        return [_relocated(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: inner.replace("#/components/schemas/", "#/$defs/") if name == "$ref" else _relocated(inner)
        for name, inner in value.items()
    }
