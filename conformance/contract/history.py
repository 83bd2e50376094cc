"""Since when and until when the documentation has what it has, told by comparing its versions."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlconform.conformance.contract.model import Contract

Place = tuple[str, ...]


def dated(contracts: Sequence[Contract]) -> list[Contract]:
    """The contracts of all versions, oldest first, each requirement, operation and member with its dates.

    What the oldest version has bears no first version, unless the overlay or a label gives it one: how long
    it was there before is not known. What the newest has bears no last one.
    """
    names = [contract.version for contract in contracts]
    requirements = _versions([list(contract.requirements) for contract in contracts], names)
    documents = [copy.deepcopy(dict(contract.openapi)) for contract in contracts]
    places = _versions([[place for place, _ in _places(document)] for document in documents], names)
    for document in documents:
        for place, node in _places(document):
            first, last = _dates(places[place], names)
            if first is not None:
                node.setdefault("x-since", first)
            if last is not None:
                node["x-until"] = last
    return [
        replace(contract, requirements=_stamped(contract, requirements, names), openapi=document)
        for contract, document in zip(contracts, documents, strict=True)
    ]


def _stamped(contract: Contract, found: Mapping[Any, list[str]], names: Sequence[str]) -> dict[str, Any]:
    stamped = {}
    for name, requirement in contract.requirements.items():
        first, last = _dates(found[name], names)
        stamped[name] = replace(requirement, since=requirement.since or first, until=last)
    return stamped


def _versions(listed: Sequence[Sequence[Any]], names: Sequence[str]) -> dict[Any, list[str]]:
    """The versions that have each of these things."""
    found: dict[Any, list[str]] = {}
    for name, things in zip(names, listed, strict=True):
        for thing in things:
            found.setdefault(thing, []).append(name)
    return found


def _dates(having: Sequence[str], names: Sequence[str]) -> tuple[str | None, str | None]:
    return (
        having[0] if having[0] != names[0] else None,
        having[-1] if having[-1] != names[-1] else None,
    )


def _places(document: Mapping[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The operations of a document and the members of their bodies, each with the place that names it."""
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            yield (name,), operation
            for part, schema in bodies(operation):
                for path, member in members(schema):
                    yield (name, part, *path), member


def bodies(operation: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas of an operation's bodies: `request`, or the status of an answer."""
    if "requestBody" in operation:
        yield "request", operation["requestBody"]["content"]["application/json"]["schema"]
    for status, response in operation["responses"].items():
        if "content" in response:
            yield status, response["content"]["application/json"]["schema"]


def members(schema: Mapping[str, Any], path: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The members of a schema at any depth, elements of lists as `[]`."""
    for name, member in schema.get("properties", {}).items():
        yield (*path, name), member
        yield from members(member, (*path, name))
    items = schema.get("items")
    if isinstance(items, dict):
        yield from members(items, (*path, "[]"))
