from __future__ import annotations

from collections.abc import Callable

import pytest

from mlconform.conformance.contract.operations import endpoints, shown
from mlconform.conformance.contract.pages import Page
from mlconform.conformance.contract.routes import Route, operation_of

from .conftest import PAGE

Read = Callable[[str], Page]
ROUTES = {
    "one": Route("POST", "/things/{thing_id}/_start"),
    "all": Route("POST", "/things/_start"),
    "named": Route("POST", "/things/_all/_start"),
    "read": Route("GET", "/things/{thing_id}"),
}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("POST /things/abc/_start", "one"),
        ("POST /things/_start", "all"),
        ("POST /things/_all/_start", "named"),
        ("GET /things/abc", "read"),
        ("DELETE /things/abc", None),
        ("GET /things/abc/more", None),
    ],
)
def test_the_most_literal_route_wins(line: str, expected: str | None) -> None:
    assert operation_of(Route.parse(line), ROUTES) == expected


def test_a_route_is_written_with_braces_and_a_slash() -> None:
    assert str(Route.parse("put a/<b_id>/c")) == "PUT /a/{b_id}/c"
    assert Route.parse("GET /a/{b}/{c}").parameters == ["b", "c"]


def test_a_page_lists_its_endpoints(page: Read) -> None:
    assert [str(endpoint.route) for endpoint in endpoints(page(PAGE))] == ["POST /things/{thing_id}/_start"]


def test_an_openapi_document_lists_its_operation_once(page: Read) -> None:
    text = "```yaml\nopenapi: 3.1.0\npaths:\n  /a:\n    get:\n      summary: S\n      tags: [x]\n```\n"
    assert [str(endpoint.route) for endpoint in endpoints(page(text))] == ["GET /a"]


def test_an_answer_belongs_to_the_request_before_it(page: Read) -> None:
    request, answer = shown(page(PAGE), ROUTES)
    assert (request.operation, request.status) == ("one", None)
    assert (answer.operation, answer.status) == ("one", 200)


def test_a_request_without_a_line_belongs_to_the_operation_before_it(page: Read) -> None:
    text = (
        "#### Example request\n\n```json\nPOST /things/_start\n```\n\n"
        '#### Example request: Less\n\n```json\n{"a": 1}\n```\n'
    )
    assert [entry.operation for entry in shown(page(text), ROUTES)] == ["all", "all"]


def test_an_error_body_shows_the_answer_of_its_status(page: Read) -> None:
    text = '# T\n\n```\nGET /things/x\n```\n\n```\n{"error": "no", "status": 409}\n```\n'
    assert [(entry.operation, entry.status) for entry in shown(page(text), ROUTES)] == [
        ("read", None),
        ("read", 409),
    ]
