"""The form of answers as recordings show it, for what the pages leave open.

The pages show one answer of an operation, recordings many. What all recorded answers of an operation with a
status have in common is the form of such an answer on the version that was recorded, and on no other.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.routes import Route, operation_of
from mlconform.conformance.contract.schemas import Sample, Schema, infer

# By operation and status.
Forms = dict[str, dict[str, Schema]]

# Members whose value the server takes from a short list of its own: those that were recorded are the list.
_VOCABULARY: Final = frozenset(
    {
        "_index",
        "acknowledged",
        "forced_refresh",
        "include_output_in_agent_response",
        "action_type",
        "method",
        "protocol",
        "relation",
        "result",
        "status",
        "status_code",
        "task_type",
        "timed_out",
    }
)
# The name of a node or a thing, 20 or 22 characters as the server makes them.
_ID = re.compile(r"(?=.*[a-z_-])(?=.*[A-Z])(?:[\w-]{20}|[\w-]{22})")
# What a write answers that came second in a race, which no recording has.
_SECOND: Final = "not_found"
# What a client or the model behind a connector chose: nothing follows from one recording for another.
_CHOSEN: Final = frozenset(
    {
        "all_config",
        "credential",
        "dataAsMap",
        "defaults",
        "guardrails",
        "headers",
        "interface",
        "model_config",
        "parameters",
        "persistent",
        "transient",
        "user_rate_limiter",
    }
)
# What the contract's own documents say of a schema beside what it asks.
_TOLD: Final = frozenset({"x-source", "x-level", "format"})
# What a task, and the answer that tells of it, has once it has come so far; most recordings are of tasks that
# had ended.
_LATER: Final = frozenset({"model_id", "error"})
# What a thing has only where a client gave it.
_GIVEN: Final = frozenset({"description", "parameters", "tools"})
# Null where a search found nothing or sorted its hits.
_SCORES: Final = frozenset({"max_score", "_score"})
_FIRST_ERROR = 400
_FIRST_FAULT = 500


def forms(folder: Path, version: str, routes: Mapping[str, Route]) -> Forms:
    """The form of each answer that the recordings of this version below `folder` hold.

    A folder whose name ends in the version, or in it and a number of nodes, is one of that version: what is
    configured in another way answers in other ways. Raises ContractError for a recording that can't be read.
    """
    samples: dict[tuple[str, str], list[Sample]] = {}
    for name, exchange in _exchanges(folder, version):
        operation = operation_of(Route.parse(f"{exchange['method']} {exchange['path']}"), routes)
        # A filter in the query leaves members out.
        if operation is None or "filter_path" in exchange["path"] or not _is_json(exchange):
            continue
        answer = Sample(exchange["response"], name)
        samples.setdefault((operation, str(exchange["status"])), []).append(answer)
    found: Forms = {}
    for (operation, status), answers in sorted(samples.items()):
        found.setdefault(operation, {})[status] = _form(answers, int(status))
    return found


def _exchanges(folder: Path, version: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(folder.glob("*/*.jsonl")):
        if not re.fullmatch(rf"\w+-{re.escape(version)}(-\w+-nodes)?", path.parent.name):
            continue
        try:
            header, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
            for exchange in lines:
                if "run" in exchange:
                    continue
                # A fault that a server has before it was ever used is no form of its other faults.
                if header.get("fresh") and exchange["status"] >= _FIRST_FAULT:
                    continue
                yield f"{path.stem}#{exchange['i']}", exchange
        except (OSError, ValueError, KeyError) as error:
            raise ContractError(f"{path.name} is no recording ({error}); record it again") from None


def _is_json(exchange: Mapping[str, Any]) -> bool:
    """A text that claims to be JSON is two answers in one, whose form is that of neither."""
    declared = str(exchange.get("content_type", "")).startswith("application/json")
    return declared and not isinstance(exchange["response"], str)


def _form(answers: Iterable[Sample], status: int) -> Schema:
    """What these answers have in common, without the sources of its members."""
    schema: Schema = _stripped(
        infer([Sample(_closed(each.value), each.source) for each in answers], answer=True)
    )
    if status < _FIRST_ERROR:
        _place_vocabulary(schema, [_closed(each.value) for each in answers])
        begun = {"is_async", "task_id"} & schema.get("properties", {}).keys()
        not_always = _GIVEN | (_LATER if begun else set())
        if "required" in schema:
            schema["required"] = [name for name in schema["required"] if name not in not_always]
    return schema


def _closed(value: Any, name: str = "") -> Any:
    """The value with what somebody else chose left empty, and ids as names made alike."""
    if isinstance(value, dict):
        return {} if name in _CHOSEN else {_alike(key): _closed(each, key) for key, each in value.items()}
    return [_closed(each, name) for each in value] if isinstance(value, list) else value


def _alike(name: str) -> str:
    return "ID" + f"{zlib.crc32(name.encode()):018d}" if _ID.fullmatch(name) else name


def _stripped(schema: Any) -> Any:
    """The schema with the keywords that judge, and nothing of scores, which depend on the search."""
    if isinstance(schema, list):
        return [_stripped(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {} if name in _SCORES else _stripped(each)
        for name, each in schema.items()
        if name not in _TOLD and not (name == "examples" and isinstance(each, list))
    }


def _place_vocabulary(schema: Schema, values: Iterable[Any]) -> None:
    """Give the members of the vocabulary their values, in place."""
    values = list(values)
    objects = [each for each in values if isinstance(each, dict)]
    for name, member in schema.get("properties", {}).items():
        inner = [each[name] for each in objects if name in each]
        # The status of a task is that of the moment.
        of_task = name == "status" and "task_id" in schema["properties"]
        if name in _VOCABULARY and not of_task and not any(isinstance(each, dict | list) for each in inner):
            second = [_SECOND] if "deleted" in inner else []
            found = {json.dumps(each) for each in (*inner, *second)}
            member["enum"] = [json.loads(text) for text in sorted(found)]
        else:
            _place_vocabulary(member, inner)
    if "additionalProperties" in schema:
        known = schema.get("properties", {})
        others = [value for each in objects for name, value in each.items() if name not in known]
        _place_vocabulary(schema["additionalProperties"], others)
    if "items" in schema:
        _place_vocabulary(
            schema["items"], [item for each in values if isinstance(each, list) for item in each]
        )
