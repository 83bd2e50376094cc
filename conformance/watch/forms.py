"""Answers held against the contract's schemas, with a validator that takes microseconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jsonschema_rs

from mlconform.conformance.contract.answers import Form, Forms
from mlconform.conformance.watch.observation import Observation, Seen
from mlconform.conformance.watch.wire import JSON_TYPE, media_type

# More of one answer would say the same again.
_MOST = 5


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A form, what validates it, and what an answer of that form passes."""

    form: Form
    validator: jsonschema_rs.Draft202012Validator
    passed: tuple[Observation, ...]

    @classmethod
    def of(cls, form: Form) -> _Compiled:
        owners = dict.fromkeys(form.owners.values())
        validator = jsonschema_rs.Draft202012Validator(dict(form.schema))
        return cls(form, validator, tuple(Observation(owner, True) for owner in owners))


class FormRule:
    """Holds each answer to its forms; what a form asks is decided for the requirement that owns it."""

    def __init__(self, prefix: str, forms: Forms) -> None:
        self._schema_rule = f"{prefix}.wire.documented-schema"
        self._type_rule = f"{prefix}.wire.content-type"
        self._forms = forms
        self._passed = Observation(self._schema_rule, True), Observation(self._type_rule, True)
        self._compiled: dict[tuple[str, int], tuple[_Compiled, ...]] = {}

    def __call__(self, seen: Seen) -> Iterator[Observation]:
        operation, exchange, status = seen.operation, seen.exchange, seen.status
        # A filter in the query leaves members out.
        if operation is None or "filter_path" in exchange.request.path or exchange.request.method == "HEAD":
            return
        listed, typed = self._passed
        if not self._forms.lists(operation, status):
            expected = f"a success of {operation} with the documented status"
            yield Observation(self._schema_rule, False, expected, exchange)
            return
        yield listed
        for each in self._forms_of(operation, status):
            if each.form.recorded and isinstance(seen.body, dict) and seen.body.get("result") == "noop":
                # A write that changed nothing: none was recorded.
                continue
            yield from _held(each, seen)
        if exchange.answer is not None and exchange.answer.body:
            if media_type(exchange) == JSON_TYPE:
                yield typed
            else:
                came = f"{exchange.content_type!r}: {exchange.summary}"
                yield Observation(
                    self._type_rule, False, f"content-type {JSON_TYPE} with a body of JSON", came
                )

    def _forms_of(self, operation: str, status: int) -> tuple[_Compiled, ...]:
        key = (operation, status)
        if key not in self._compiled:
            self._compiled[key] = tuple(map(_Compiled.of, self._forms.find(operation, status)))
        return self._compiled[key]


def _held(compiled: _Compiled, seen: Seen) -> Sequence[Observation]:
    """What the answer passes, or how it differs from this form."""
    form, validator = compiled.form, compiled.validator
    if validator.is_valid(seen.body):
        return compiled.passed
    errors = [each for each in validator.iter_errors(seen.body) if not _is_chosen(form, each, seen)]
    return [_difference(form, each, seen) for each in errors[:_MOST]] or compiled.passed


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
