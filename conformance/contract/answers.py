"""What an answer must look like, by operation and status, and the requirement that owns each part of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlconform.conformance.contract.model import Contract, Level, Requirement

DEFAULT: Final = "default"
_JSON = "application/json"
_RECORDED_FORM = "wire.recorded-answer"
_SHOWN_FORM = "wire.documented-schema"
_ERROR_FORM = "wire.error-envelope"


@dataclass(frozen=True, slots=True)
class Form:
    """One schema of the answers to an operation with a status; its references lie within it.

    What it asks is owned by `owners`: the requirement of a member by its name, else that of the level at
    which the schema has the member, else the one under the empty name. `recorded` says that recordings show
    it, not the pages.
    """

    operation: str
    status: str
    schema: Mapping[str, Any]
    owners: Mapping[str, str]
    recorded: bool = False

    def level_of(self, path: Sequence[str | int]) -> str:
        """The level at which the schema has what lies at this path of keywords; empty where it says none."""
        level = str(self.schema.get("x-level", ""))
        node: Any = self.schema
        for step in path:
            if isinstance(node, Mapping):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                break
            if isinstance(node, Mapping) and "x-level" in node:
                level = str(node["x-level"])
        return level

    def owner(self, member: Sequence[str | int], keyword: Sequence[str | int]) -> str:
        """The requirement that the member at this place owes what the keyword at this path asks."""
        name = next((str(step) for step in member if isinstance(step, str)), "")
        level = self.level_of(keyword)
        if level == Level.DOCUMENTED and name in self.owners:
            return self.owners[name]
        # What no level is said of, such as that the whole is an object, is the form's own.
        levels = [level] if level else list(Level)
        return next(
            (self.owners[key] for each in levels if (key := f"<{each}>") in self.owners), self.owners[""]
        )


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of all answers of a contract, for one version of a target."""

    by_answer: Mapping[tuple[str, str], tuple[Form, ...]]

    @classmethod
    def of(cls, contract: Contract, version: str) -> Forms:
        """The documented forms, and those recorded of this version of the target."""
        found: dict[tuple[str, str], tuple[Form, ...]] = {}
        for form in (*_shown(contract), *_recorded(contract, version)):
            key = (form.operation, form.status)
            found[key] = (*found.get(key, ()), form)
        return cls(found)

    def find(self, operation: str, status: int) -> tuple[Form, ...]:
        """What an answer to this operation with this status must look like."""
        exact = self.by_answer.get((operation, str(status)), ())
        if any(not form.recorded for form in exact):
            return exact
        return (*exact, *self.by_answer.get((operation, DEFAULT), ()))

    def lists(self, operation: str, status: int) -> bool:
        """Whether the operation may answer with this status: any error, and the successes that are shown.

        An operation of which no success is shown may answer with any.
        """
        if status >= 400 or (operation, str(status)) in self.by_answer:
            return True
        return not any(key[0] == operation and key[1].startswith("2") for key in self.by_answer)


def _shown(contract: Contract) -> Iterator[Form]:
    prefix = id_prefix(contract)
    components = contract.openapi.get("components", {})
    for methods in contract.openapi.get("paths", {}).values():
        for definition in methods.values():
            operation = definition["operationId"]
            for status, response in definition.get("responses", {}).items():
                whole = _resolved(response, components)
                schema = whole.get("content", {}).get(_JSON, {}).get("schema")
                if schema is None:
                    continue
                fallback = f"{prefix}.{_ERROR_FORM if status == DEFAULT else _SHOWN_FORM}"
                yield Form(
                    operation,
                    str(status),
                    {**schema, "components": components},
                    _owners(contract, operation, str(status), fallback),
                )


def _recorded(contract: Contract, version: str) -> Iterator[Form]:
    owner = f"{id_prefix(contract)}.{_RECORDED_FORM}"
    for operation, forms in contract.recorded.get(version, {}).items():
        for status, schema in forms.items():
            yield Form(operation, status, schema, {"": owner}, recorded=True)


def _resolved(response: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = response.get("$ref")
    if reference is None:
        return response
    found: Mapping[str, Any] = components["responses"][reference.rpartition("/")[2]]
    return found


def _owners(contract: Contract, operation: str, status: str, fallback: str) -> dict[str, str]:
    """The requirements of the operation's answers: `….field.NAME` own a member, `….answer…` the rest."""
    own = [each for each in contract.requirements.values() if each.operation == operation]
    found = {"": fallback}
    for each in own:
        before, _, name = each.id.rpartition(".")
        if before.endswith((".field", ".answer")) and each.level is Level.DOCUMENTED:
            found[name] = each.id
    whole = [each for each in own if _is_whole(each, status)]
    if status != DEFAULT:
        # Of several that show the same, the first is told of a difference.
        found |= {f"<{each.id}>": each.id for each in whole}
        found |= {f"<{each.level}>": each.id for each in reversed(whole)}
    return found


def _is_whole(requirement: Requirement, status: str) -> bool:
    """Whether it is about the form of the whole answer."""
    # Where a page shows several answers, all but the first are counted.
    if re.search(rf"\.answer\.{status}(\.\d+)?$", requirement.id):
        return True
    return requirement.id.endswith(".answer") and status.startswith("2")


def id_prefix(contract: Contract) -> str:
    """What the ids of the contract's requirements start with."""
    return next(iter(contract.requirements)).partition(".")[0]
