"""The recordings as a second source: what real nodes answered fits the schemas, or is a listed deviation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.history import bodies
from mlconform.conformance.contract.model import Contract
from mlconform.conformance.contract.routes import Route, operation_of
from mlconform.conformance.running.known import known_sets, known_waivers
from mlconform.mock_server.opensearch_ml.behaviours import deviations_of

OBSERVED = Path(__file__).parents[1] / "observed"
VERSIONS = {"opensearch-2.19.0": "2.19", "opensearch-3.4.0": "3.4", "opensearch-3.4.0-three-nodes": "3.4"}
# Training and the root of the server are no model APIs; the page on tasks searches them with GET alone.
OUTSIDE = {"POST /_plugins/_ml/_train/kmeans", "HEAD /", "POST /_plugins/_ml/tasks/_search"}


@dataclass(frozen=True)
class Recorded:
    """One exchange that was answered with success, in JSON."""

    name: str
    method: str
    path: str
    status: int
    answer: Any


def recorded(folder: str) -> Iterator[Recorded]:
    for path in sorted((OBSERVED / folder).glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            values = json.loads(line)
            if "run" in values:
                continue
            json_answer = str(values.get("content_type", "")).startswith("application/json")
            # A filter in the query leaves members out of the answer.
            whole = "filter_path" not in values["path"]
            if 200 <= values["status"] < 300 and json_answer and whole:
                name = f"{path.stem}#{values['i']}"
                yield Recorded(name, values["method"], values["path"], values["status"], values["response"])


def routes(contract: Contract) -> dict[str, Route]:
    return {
        operation["operationId"]: Route(method.upper(), path)
        for path, methods in contract.openapi["paths"].items()
        for method, operation in methods.items()
    }


def schemas(contract: Contract) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (operation["operationId"], part): {**schema, "components": contract.openapi["components"]}
        for methods in contract.openapi["paths"].values()
        for operation in methods.values()
        for part, schema in bodies(operation)
    }


@pytest.mark.parametrize("folder", VERSIONS)
def test_every_operation_that_was_recorded_is_in_the_contract(folder: str) -> None:
    known = routes(store.load("opensearch-ml", VERSIONS[folder]))
    sent = {(entry.method, entry.path.partition("?")[0]) for entry in recorded(folder)}
    unknown = {
        f"{method} {path}"
        for method, path in sent
        if operation_of(Route.parse(f"{method} {path}"), known) is None
    }
    assert unknown <= OUTSIDE


@pytest.mark.parametrize("folder", VERSIONS)
def test_every_recorded_success_fits_its_schema_or_is_a_deviation(folder: str) -> None:
    contract = store.load("opensearch-ml", VERSIONS[folder])
    known, built = routes(contract), schemas(contract)
    listed = {answer for deviation in contract.deviations for answer in deviation.answers}
    found = set()
    held = 0
    for entry in recorded(folder):
        operation = operation_of(Route.parse(f"{entry.method} {entry.path}"), known)
        schema = built.get((operation or "", str(entry.status)))
        if schema is None:
            continue
        held += 1
        for error in jsonschema.Draft202012Validator(schema).iter_errors(entry.answer):
            place = "/".join(str(part) for part in error.absolute_path)
            found.add((f"{operation}/{entry.status}/{place}", entry.name, error.message))
    assert held > 20
    assert [problem for problem in sorted(found) if problem[0] not in listed] == []


@pytest.mark.parametrize("name", ["opensearch-2.19", "opensearch-3.4"])
def test_a_known_set_waives_what_the_recordings_contradict(name: str) -> None:
    contract = store.load("opensearch-ml", name.partition("-")[2])
    waived = {waiver.requirement for waiver in known_waivers(name)}
    assert waived == {deviation.requirement for deviation in contract.deviations}
    assert waived <= contract.requirements.keys()


@pytest.mark.parametrize("name", ["opensearch-2.19", "opensearch-3.4"])
def test_the_mock_deviates_where_the_contract_says_so(name: str) -> None:
    contract = store.load("opensearch-ml", name.partition("-")[2])
    listed = {
        f"{source.recording}#{source.exchange}"
        for deviation in contract.deviations
        for source in deviation.sources
    }
    broken = {
        deviation.recording.partition(",")[0]
        for deviation in deviations_of(name)
        if deviation.requirement is not None and deviation.recording is not None
    }
    assert broken <= listed


def test_there_is_a_known_set_for_each_recorded_version() -> None:
    assert known_sets() == ("opensearch-2.19", "opensearch-3.4")


@pytest.mark.parametrize("folder", VERSIONS)
def test_an_exchange_that_is_cited_was_recorded(folder: str) -> None:
    """Every recording that the contract names is there to be read."""
    version = folder.removeprefix("opensearch-")
    there = {
        f"{path.stem}#{json.loads(line)['i']}"
        for path in OBSERVED.glob(f"{folder}*/*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()[1:]
    }
    cited = {
        f"{source.recording}#{source.exchange}"
        for requirement in store.load("opensearch-ml", VERSIONS[folder]).requirements.values()
        for source in requirement.sources
        if source.recording is not None and source.version == version
    }
    assert cited <= there
