"""Answers held against the contract's schemas, with a validator that takes microseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jsonschema_rs

from mlconform.conformance.contract.answers import Form, Forms
from mlconform.conformance.watch.observation import Held, Observation, Seen, held
from mlconform.conformance.watch.wire import JSON_TYPE, media_type

# More of one answer would say the same again.
_MOST = 5


@dataclass(frozen=True)
class _Compiled:
    """A form, and what an answer of that form passes."""

    form: Form
    passed: Held

    @classmethod
    def of(cls, form: Form) -> _Compiled:
        return cls(form, held(*dict.fromkeys(form.owners.values())))

    @cached_property
    def validator(self) -> jsonschema_rs.Draft202012Validator:
        """Made where it is needed, for it takes a while."""
        return jsonschema_rs.Draft202012Validator(dict(self.form.schema))


@dataclass(frozen=True, slots=True)
class _Answer:
    """The forms of one answer, what validates all of them at once, and what an answer of all passes."""

    forms: tuple[_Compiled, ...]
    together: jsonschema_rs.Draft202012Validator
    passed: Held

    @classmethod
    def of(cls, forms: Sequence[Form]) -> _Answer:
        compiled = tuple(map(_Compiled.of, forms))
        # References lie within the components, which are the contract's in each form that has any.
        schema: dict[str, Any] = {"allOf": [dict(form.schema) for form in forms] or [{}]}
        for each in schema["allOf"]:
            schema["components"] = each.pop("components", schema.get("components", {}))
        passed = dict.fromkeys(name for each in compiled for name in each.passed.requirements)
        return cls(compiled, jsonschema_rs.Draft202012Validator(schema), held(*passed))


class FormRule:
    """Holds each answer to its forms; what a form asks is decided for the requirement that owns it."""

    def __init__(self, prefix: str, forms: Forms) -> None:
        self._schema_rule = f"{prefix}.wire.documented-schema"
        self._type_rule = f"{prefix}.wire.content-type"
        self._forms = forms
        self._compiled: dict[tuple[str, int], _Answer] = {}

    def __call__(self, seen: Seen) -> Iterator[Observation | Held]:
        operation, exchange, status = seen.operation, seen.exchange, seen.status
        # A filter in the query leaves members out.
        if operation is None or "filter_path" in exchange.request.path or exchange.request.method == "HEAD":
            return
        if not self._forms.lists(operation, status):
            expected = f"a success of {operation} with the documented status"
            yield Observation(self._schema_rule, False, expected, exchange)
            return
        yield held(self._schema_rule)
        answer = self._answer(operation, status)
        if answer.together.is_valid(seen.body):
            yield answer.passed
        else:
            for each in answer.forms:
                yield from _held_to(each, seen)
        if exchange.answer is not None and exchange.answer.body:
            if media_type(exchange) == JSON_TYPE:
                yield held(self._type_rule)
            else:
                came = f"{exchange.content_type!r}: {exchange.summary}"
                yield Observation(
                    self._type_rule, False, f"content-type {JSON_TYPE} with a body of JSON", came
                )

    def _answer(self, operation: str, status: int) -> _Answer:
        key = (operation, status)
        if key not in self._compiled:
            self._compiled[key] = _Answer.of(self._forms.find(operation, status))
        return self._compiled[key]


def _held_to(compiled: _Compiled, seen: Seen) -> Sequence[Observation | Held]:
    """What the answer passes, or how it differs from this form."""
    form, validator = compiled.form, compiled.validator
    if form.recorded and isinstance(seen.body, dict) and seen.body.get("result") == "noop":
        # A write that changed nothing: none was recorded.
        return ()
    errors = [each for each in validator.iter_errors(seen.body) if not _is_chosen(form, each, seen)]
    return [_difference(form, each, seen) for each in errors[:_MOST]] or [compiled.passed]


def _is_chosen(form: Form, error: jsonschema_rs.ValidationError, seen: Seen) -> bool:
    """Whether this is a member that is missing within a part of a success, and that recordings alone show:
    what each of them has there may be there because each of their requests had set it."""
    missing = bool(error.schema_path) and error.schema_path[-1] == "required"
    return form.recorded and missing and seen.status < 300 and bool(error.instance_path)


def _difference(form: Form, error: jsonschema_rs.ValidationError, seen: Seen) -> Observation:
    missing = getattr(error.kind, "property", None)
    place: list[str | int] = [*error.instance_path, *([missing] if isinstance(missing, str) else [])]
    where = shown(place)
    keyword = str(error.schema_path[-1]) if error.schema_path else "schema"
    status = seen.status
    source = "recorded" if form.recorded else "documented"
    expected = f"{where} as the {source} {status} of {form.operation}: {keyword}"
    if keyword == "type":
        expected += f" {getattr(error.kind, 'types', '')}".rstrip()
    owner = form.owner(place, list(error.schema_path))
    return Observation(owner, False, expected, f"{error.message[:200]}: {seen.exchange.summary}")


def shown(place: Sequence[str | int]) -> str:
    """A place in a JSON value as a reader sees it: names and `[]`, and `*` for what is named like an id."""
    steps = ["[]" if isinstance(step, int) else step for step in place]
    return "/".join(steps) or "the body"
