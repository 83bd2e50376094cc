"""Tokens, and what every answer owes its client."""

from __future__ import annotations

from collections.abc import Iterator

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.nugen.api import COMPLETIONS, UNKNOWN_ID, Nugen
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.nugen import ALIGNED, MODELS

pytestmark = exclusive

_OPERATIONS = (
    ("GET", ALIGNED),
    ("DELETE", f"{MODELS}/undeploy-model/{UNKNOWN_ID}"),
    ("GET", f"{MODELS}/undeploy-model/{UNKNOWN_ID}/status"),
    ("POST", f"{MODELS}/deploy-model/{UNKNOWN_ID}"),
    ("GET", f"{MODELS}/deploy-model/{UNKNOWN_ID}/status"),
)


def _refused(requirement_id: str, answered: Exchange, expect: Expect) -> None:
    # The pages name no status for it: 401 and 403 are what RFC 9110 has for missing credentials.
    expect.status(requirement_id, answered, 401, 403)


@requirement("nugen.auth.required")
def test_no_operation_answers_without_a_token(nugen: Nugen, expect: Expect) -> None:
    for method, path in _OPERATIONS:
        answered = nugen.session.request(method, path, authorize=False)
        _refused("nugen.auth.required", answered, expect)


@requirement("nugen.auth.wrong-token")
def test_no_operation_answers_to_a_wrong_token(nugen: Nugen, expect: Expect) -> None:
    for method, path in _OPERATIONS:
        answered = nugen.session.request(method, path, headers={"authorization": "Bearer invalid"})
        _refused("nugen.auth.wrong-token", answered, expect)


def _answers(nugen: Nugen) -> Iterator[Exchange]:
    for method, path in _OPERATIONS:
        yield nugen.session.request(method, path)
    yield nugen.session.request("GET", "/api/v3/nope")


@requirement("nugen.wire.json")
def test_every_body_is_json_to_its_end(nugen: Nugen, expect: Expect) -> None:
    for answered in _answers(nugen):
        expect.that(
            "nugen.wire.json",
            isinstance(answered.json, dict | list | str),
            expected="a body that is JSON",
            came=answered.summary,
            exchange=answered,
        )


@requirement("nugen.wire.no-server-error")
def test_no_bad_request_is_a_server_error(nugen: Nugen, expect: Expect) -> None:
    for raw in (b"", b"{", b"[]", b"\xff", b"null"):
        answered = nugen.session.request("POST", COMPLETIONS, raw=raw)
        expect.that(
            "nugen.wire.no-server-error",
            answered.status < 500,
            expected=f"no 5xx to the body {raw!r}",
            came=answered.summary,
            exchange=answered,
        )


@requirement("nugen.wire.unknown-route")
def test_an_unknown_route(nugen: Nugen, expect: Expect) -> None:
    answered = nugen.session.request("GET", "/api/v3/nope")
    expect.status("nugen.wire.unknown-route", answered, 404)
    expect.equal("nugen.wire.unknown-route", answered.json, {"detail": "Not Found"}, "the body")
