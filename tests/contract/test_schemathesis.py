"""Schemathesis with all its own checks: mock and OpenAPI document agree, or an exception says why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import Failure, FailureGroup

from mlconform.conformance.contract import store
from mlconform.mock_server.fixture import RunningMock, running_mock

REFUSED = "RejectedPositiveData"
NAMES_A_CHOICE = "the value is one of a list that the pages do not give, so random text is refused"
LIMITS_A_RATE = "a limit is a positive number, also as text, and its unit one of a list"
NEEDS_A_QUERY = "a search needs a body, or the parameter source, which no page names"
OF_SOME_CHARACTERS = "names and descriptions are of some characters only, which no page lists"
OFF_BY_DEFAULT = "a setting lets clients upload files of models, and is off where nobody set it"
NEEDS_MORE = "which members a request of this kind needs depends on their values, which no schema tells"


@dataclass(frozen=True)
class Exception_:  # noqa: N801 - an exception to a rule, not an error
    """A finding that stands: of this operation, with this status, and why."""

    operation: str
    status: int
    failure: str
    requirement: str
    reason: str


EXCEPTIONS = (
    Exception_("create_connector", 400, REFUSED, "osml.connector.create.endpoint", NAMES_A_CHOICE),
    Exception_("register_agent", 400, REFUSED, "osml.agent.register.field.type", NAMES_A_CHOICE),
    Exception_("predict_algorithm", 400, REFUSED, "osml.predict.endpoint", NAMES_A_CHOICE),
    Exception_("stat", 400, REFUSED, "osml.stats.endpoint.stat", NAMES_A_CHOICE),
    Exception_("node_stat", 400, REFUSED, "osml.stats.endpoint.node_stat", NAMES_A_CHOICE),
    Exception_("register_model", 400, REFUSED, "osml.register.connector-needed", NEEDS_MORE),
    Exception_("register_model_meta", 400, REFUSED, "osml.settings.allow-local-file", OFF_BY_DEFAULT),
    Exception_("upload_model_chunk", 400, REFUSED, "osml.settings.allow-local-file", OFF_BY_DEFAULT),
    Exception_("register_model_group", 400, REFUSED, "osml.group.no-access-parameters", NEEDS_MORE),
    Exception_("put_cluster_settings", 400, REFUSED, "osml.settings.unknown", NEEDS_MORE),
    Exception_("undeploy_models", 400, REFUSED, "osml.undeploy.node-ids-setting", NEEDS_MORE),
    Exception_("create_controller", 400, REFUSED, "osml.update.bad-limit", LIMITS_A_RATE),
    Exception_("update_controller", 400, REFUSED, "osml.update.bad-limit", LIMITS_A_RATE),
    *(
        Exception_(name, 400, REFUSED, "osml.search.unknown-query", "a search knows its members and queries")
        for name in ("search_models", "search_model_groups", "search_connectors", "search_agents")
    ),
    *(
        Exception_(name, 400, REFUSED, "osml.search.unknown-query", NEEDS_A_QUERY)
        for name in (
            "search_models_get",
            "search_model_groups_get",
            "search_connectors_get",
            "search_agents_get",
            "search_tasks",
        )
    ),
    Exception_("update_model", 400, REFUSED, "osml.update.field.guardrails", NEEDS_MORE),
    Exception_("update_connector", 400, REFUSED, "osml.connector.update.endpoint", NEEDS_MORE),
    Exception_("update_model_group", 400, REFUSED, "osml.group.update.endpoint", OF_SOME_CHARACTERS),
    *(
        Exception_(
            name,
            400,
            REFUSED,
            "osml.processor.model-id-required",
            "what a processor needs depends on its kind, and the request takes processors of any kind",
        )
        for name in ("put_ingest_pipeline", "put_search_pipeline")
    ),
    Exception_(
        "put_search_pipeline",
        200,
        "AcceptedNegativeData",
        "osml.processor.model-id-required",
        "as on a node, a list that is null is none",
    ),
)

DOCUMENT = dict(store.load("opensearch-ml").openapi)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [
    (operation["operationId"], path, method.upper())
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


@pytest.fixture(scope="module")
def mock() -> Iterator[RunningMock]:
    with running_mock(docs_version=store.default_version("opensearch-ml")) as running:
        yield running


def failures(error: Failure | FailureGroup) -> list[str]:
    found = error.exceptions if isinstance(error, FailureGroup) else [error]
    return [type(failure).__name__ for failure in found]


def findings(mock: RunningMock, path: str, method: str, mode: GenerationMode) -> set[tuple[int, str]]:
    """The statuses of answers that a check objects to, and the objections."""
    found: set[tuple[int, str]] = set()

    @seed(0)
    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=SCHEMA[path][method].as_strategy(generation_mode=mode))
    def send(case: Case[Any]) -> None:
        response = case.call(base_url=mock.url)
        try:
            case.validate_response(response)
        except (Failure, FailureGroup) as error:
            found.update((response.status_code, name) for name in failures(error))

    try:
        send()
    except Unsatisfiable:
        # A request that takes nothing but text in its path can't be made wrong.
        assert mode is GenerationMode.NEGATIVE
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("operation", "path", "method"), OPERATIONS, ids=[entry[0] for entry in OPERATIONS])
def test_an_operation_is_as_its_schema_says(
    mock: RunningMock, operation: str, path: str, method: str
) -> None:
    found = set().union(*(findings(mock, path, method, mode) for mode in GenerationMode))
    allowed = {(entry.status, entry.failure) for entry in EXCEPTIONS if entry.operation == operation}
    # Not equal: which requests are made depends on the constants of all modules that were imported before.
    assert found <= allowed


def test_an_exception_names_a_requirement_of_the_contract() -> None:
    named = {entry.requirement for entry in EXCEPTIONS}
    assert named <= store.load("opensearch-ml").requirements.keys()
