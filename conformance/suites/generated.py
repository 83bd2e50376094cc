"""Requests made from the contract by schemathesis, and answers held against its schemas."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import jsonschema
import schemathesis
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core import NotSet

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.session import Session

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """Where an operation of the contract lives."""

    id: str
    method: str
    path: str
    definition: Mapping[str, Any]


def operation(contract: Contract, operation_id: str) -> Operation:
    """The operation with this id; raises LookupError where the contract has none."""
    for path, methods in contract.openapi["paths"].items():
        for method, definition in methods.items():
            if isinstance(definition, Mapping) and definition.get("operationId") == operation_id:
                return Operation(operation_id, method.upper(), path, definition)
    raise LookupError(f"the contract {contract.profile} {contract.version} has no operation {operation_id}")


def cases(contract: Contract, operation_id: str, *, valid: bool) -> SearchStrategy[Case[Any]]:
    """Requests that the contract allows, or that it does not."""
    found = operation(contract, operation_id)
    mode = GenerationMode.POSITIVE if valid else GenerationMode.NEGATIVE
    schema = _loaded(contract)
    strategy: SearchStrategy[Case[Any]] = schema[found.path][found.method].as_strategy(generation_mode=mode)
    return strategy


def send(
    session: Session,
    case: Case[Any],
    *,
    path: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Exchange:
    """Send a generated request through the session.

    `path` replaces path parameters, and `body` members of an object body, where the case must
    concern something that exists or may be made.
    """
    target = case.path.format(**{**case.path_parameters, **(path or {})})
    query = f"?{urlencode(case.query, doseq=True)}" if case.query else ""
    if isinstance(case.body, NotSet):
        return session.request(case.method, target + query)
    if isinstance(case.body, bytes):
        return session.request(case.method, target + query, raw=case.body)
    sent = {**case.body, **body} if body is not None and isinstance(case.body, dict) else case.body
    return session.request(case.method, target + query, sent)


def schema_problem(contract: Contract, operation_id: str, exchange: Exchange) -> str | None:
    """What in this answer does not fit the contract's schema for it, or None.

    An answer that the contract says nothing of fits.
    """
    responses = operation(contract, operation_id).definition.get("responses", {})
    response = responses.get(str(exchange.status), responses.get("default"))
    if response is None:
        return None
    if "$ref" in response:
        response = contract.openapi["components"]["responses"][response["$ref"].rpartition("/")[2]]
    schema = response.get("content", {}).get(JSON_TYPE, {}).get("schema")
    if schema is None:
        return None
    # The components come along so that references inside the schema find them.
    whole = {**schema, "components": contract.openapi.get("components", {})}
    error = jsonschema.exceptions.best_match(
        jsonschema.Draft202012Validator(whole).iter_errors(exchange.json)
    )
    return None if error is None else f"{error.json_path}: {error.message[:300]}"


_LOADED: Final[dict[tuple[str, str], Any]] = {}


def _loaded(contract: Contract) -> Any:
    """The contract as schemathesis reads it, which takes a while, so once for all checks."""
    key = (contract.profile, contract.version)
    if key not in _LOADED:
        # A copy of its own to change. With its own configuration it looks for none in the caller's folder.
        document = copy.deepcopy(dict(contract.openapi))
        _LOADED[key] = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
    return _LOADED[key]
