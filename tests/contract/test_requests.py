"""Requests that we send, held to the contract."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.requests import Requests


@pytest.fixture(scope="module")
def requests() -> Requests:
    return Requests.of(store.load("opensearch-ml", "3.4").openapi)


def problem(requests: Requests, operation: str | None, body: Any) -> str | None:
    return requests.problem(operation, json.dumps(body).encode())


def test_a_body_as_the_page_has_it_has_no_problem(requests: Requests) -> None:
    assert problem(requests, "register_model_group", {"name": "g", "description": "d"}) is None


def test_a_documented_type_is_held(requests: Requests) -> None:
    found = problem(requests, "register_model_group", {"name": 7})
    assert found is not None
    assert found.startswith("name for register_model_group: ")


def test_a_type_that_only_an_example_shows_is_not_all_that_is_allowed(requests: Requests) -> None:
    assert problem(requests, "update_model", {"interface": {"input": "{}"}}) is None


def test_a_body_that_is_needed_is_missed(requests: Requests) -> None:
    assert requests.problem("register_model_group", None) == "register_model_group needs a body"


def test_what_is_not_json_is_told(requests: Requests) -> None:
    found = requests.problem("register_model_group", b"{")
    assert found is not None
    assert "is not JSON" in found


def test_of_what_the_contract_does_not_know_nothing_is_said(requests: Requests) -> None:
    assert problem(requests, None, {"any": "thing"}) is None
    assert requests.problem("get_model", None) is None
