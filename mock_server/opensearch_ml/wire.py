"""From an HTTP request to a handler and back: content types, query parameters, and the shapes of answers."""

from __future__ import annotations

import fnmatch
import re
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote

from msgspec.structs import replace

from mlconform.mock_server.core import JSON_UTF8, Request, Response, encode_json
from mlconform.mock_server.opensearch_ml import unmocked
from mlconform.mock_server.opensearch_ml.bodies.document import EMPTY, MAX_DEPTH, Document, read_json
from mlconform.mock_server.opensearch_ml.bodies.fields import flag_of, require_time
from mlconform.mock_server.opensearch_ml.bodies.nearness import did_you_mean
from mlconform.mock_server.opensearch_ml.cluster import Answer, Call, Cluster
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    NodeError,
    RestError,
    Unauthorized,
    illegal_argument,
    not_x_content,
)
from mlconform.mock_server.opensearch_ml.router import Match, Route, Router
from mlconform.mock_server.opensearch_ml.security import guard

YAML = "application/yaml"
_JSON_TYPES = frozenset(
    {"application/json", "application/x-ndjson", "application/vnd.opensearch+json", "application/*"}
)
_MEDIA_TYPE = re.compile(r"[\w!#$%&'*+.^`|~-]+/[\w!#$%&'*+.^`|~-]+(\s*;.*)?", re.ASCII)
_TIMES = ("timeout", "master_timeout", "cluster_manager_timeout")
COMMON_PARAMETERS = frozenset({"pretty", "human", "error_trace", "filter_path", "format"})
KNOWN_METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT"})
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CHALLENGE = (("www-authenticate", 'Basic realm="OpenSearch Security"'),)
_MAX_SEGMENTS = 64
_MAX_STEPS = 2 * MAX_DEPTH + 100
_LONG_PATH = 200


@cache
def _router(later: bool, secured: bool) -> Router:
    """The operations of a cluster. All that answers them comes with the first request: to import it takes as
    long as a tenth of the mock's start.
    """
    from mlconform.mock_server.opensearch_ml.routes import ROUTES  # noqa: PLC0415
    from mlconform.mock_server.opensearch_ml.security.routes import SECURITY_ROUTES  # noqa: PLC0415

    known = (*ROUTES, *SECURITY_ROUTES) if secured else ROUTES
    return Router(route for route in known if later or not route.later)


def answer(cluster: Cluster, request: Request) -> Response:
    """Answer one request; every refusal is an answer too. The name that a client gave it comes back."""
    response, name = _answer(cluster, request), request.headers.get("x-opaque-id")
    return response if name is None else replace(response, headers=(("x-opaque-id", name), *response.headers))


def _answer(cluster: Cluster, request: Request) -> Response:
    query: dict[str, str] = {}
    try:
        query = _query(request.query)
        return _render(cluster, request, query, _dispatch(cluster, request, query))
    except ApiError as error:
        if isinstance(error, NodeError):
            error.status = cluster.rules.node_error_status
        elif error.type == "input_coercion_exception":
            error.status = cluster.rules.number_out_of_range_status
        envelope = error.envelope()
        if query.get("error_trace") in ("", "true") or cluster.rules.errors_tell_stacks:
            _add_trace(envelope["error"], error)
        _let_slip(cluster, envelope["error"])
        if not cluster.rules.error_has_root_cause:
            del envelope["error"]["root_cause"]
        return _render(cluster, request, query, Answer(envelope, error.status), filtered=False)
    except RestError as error:
        body = Answer(error.envelope(), error.status, headers=error.headers)
        return _render(cluster, request, query, body, filtered=False)
    except Unauthorized:
        refusal = Answer(None, cluster.rules.unauthorized_status, "Unauthorized", _CHALLENGE)
        return _render(cluster, request, query, refusal)


def _add_trace(shown: dict[str, Any], error: ApiError) -> None:
    """What `error_trace` asks for, in the form in which Java tells it; there are no frames to tell."""
    name = "".join(word.capitalize() for word in error.type.split("_"))
    for holder in (shown, *shown["root_cause"]):
        holder["stack_trace"] = f"{name}[{error.reason}]\n"


def _let_slip(cluster: Cluster, shown: dict[str, Any]) -> None:
    """What an error must not tell, where the rules say that it does: of the server, of what it was given."""
    if cluster.rules.errors_tell_classes:
        shown["reason"] = f"org.opensearch.ml.common.exception.MLException: {shown['reason']}"
    if cluster.rules.errors_tell_credentials:
        shown["known"] = [connector.credential for _, connector in cluster.store.connectors]


def _dispatch(cluster: Cluster, request: Request, query: dict[str, str]) -> Answer:
    surface = (cluster.rules.agents_can_be_updated, cluster.accounts is not None)
    match, methods = _match(request.method, request.path, surface)
    if match is None and request.method == "OPTIONS":
        return Answer(text="", headers=(("allow", ",".join(methods)),) if methods else ())
    try:
        if match is None:
            # A name that begins with a line is no index, though the route of one index has it.
            if not methods or (request.path.startswith("/_") and request.path.count("/") == 1):
                unmocked.refuse(request.method, request.path)
            uri = f"{request.path}?{request.query}" if request.query else request.path
            raise _no_route(request.method, uri, _ordered(methods, cluster.rules.method_order))
        media_type = _known_media_type(request.headers.get("content-type")) if request.body else ""
    except (ApiError, RestError):
        guard.remember_refusal(cluster, request)
        raise
    caller = guard.identify(cluster, request, match.route)
    document = _document(cluster, request, match.route, media_type)
    if query:
        _check_query(request.path, query, match)
    call = Call(cluster, match.parameters, query, document, caller, request.node)
    return match.route.handler(call) if caller is None else guard.handle(call, match.route)


def _check_query(path: str, query: dict[str, str], match: Match) -> None:
    unknown = sorted(set(query) - COMMON_PARAMETERS - match.route.query)
    if unknown:
        plural = "parameters" if len(unknown) > 1 else "parameter"
        known = (match.route.query | COMMON_PARAMETERS | set(match.parameters)) - set(query)
        guesses = ((name, did_you_mean(name, known)) for name in unknown)
        names = ", ".join(f"[{name}] -> {guess}" if guess else f"[{name}]" for name, guess in guesses)
        raise illegal_argument(f"request [{path}] contains unrecognized {plural}: {names}")
    for name in ("pretty", "human", "error_trace", "local"):
        if query.get(name):
            flag_of(query[name])
    for name in _TIMES:
        if name in query:
            require_time(name, query[name])


def _match(method: str, path: str, surface: tuple[bool, bool]) -> tuple[Match | None, list[str]]:
    return (_recent_match if len(path) < _LONG_PATH else _find_match)(method, path, surface)


def _find_match(method: str, path: str, surface: tuple[bool, bool]) -> tuple[Match | None, list[str]]:
    # Slashes at the end count for nothing; a name between two slashes can't be empty.
    encoded = path[1:].rstrip("/")
    segments = [_decoded(segment) for segment in encoded.split("/")] if encoded else []
    if "" in segments or len(segments) > _MAX_SEGMENTS:
        return None, []
    return _router(*surface).find(method, segments)


_recent_match = lru_cache(maxsize=2_000)(_find_match)


def _ordered(methods: list[str], order: tuple[str, ...]) -> list[str]:
    return sorted(methods, key=lambda method: order.index(method) if method in order else len(order))


def _no_route(method: str, uri: str, methods: list[str]) -> RestError:
    if not methods:
        path = uri.partition("?")[0]
        return RestError(400, f"no handler found for uri [{path}] and method [{method}]", tells_status=False)
    allow = (("allow", ",".join(methods)),)
    if method not in KNOWN_METHODS:
        return RestError(
            405, f"Unexpected HTTP method {method}, allowed: [{', '.join(methods)}]", headers=allow
        )
    message = f"Incorrect HTTP method for uri [{uri}] and method [{method}], allowed: [{', '.join(methods)}]"
    return RestError(405, message, headers=allow)


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    if _BROKEN_ESCAPE.search(text):
        raise illegal_argument(f"partial escape sequence at end of string: {text}")
    return unquote(text, errors="replace")


def _query(text: str) -> dict[str, str]:
    if not text:
        return {}
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {_decoded(name.replace("+", " ")): _decoded(value.replace("+", " ")) for name, _, value in pairs}


def _media_type(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def _document(cluster: Cluster, request: Request, route: Route, media_type: str) -> Document:
    if not request.body:
        return EMPTY
    if route.raw:
        return Document("", request.body)
    return _read_body(cluster, request, route, media_type) if route.reads_body else EMPTY


def _known_media_type(header: str | None) -> str:
    if header is None:
        raise RestError(406, "Content-Type header [] is not supported")
    if not _MEDIA_TYPE.fullmatch(header):
        raise _bad_media_type(header)
    media_type = _media_type(header)
    if media_type != YAML and media_type not in _JSON_TYPES:
        raise RestError(406, f"Content-Type header [{header}] is not supported")
    return media_type


def _read_body(cluster: Cluster, request: Request, route: Route, media_type: str) -> Document:
    if media_type == YAML:
        from mlconform.mock_server.opensearch_ml.bodies.yaml_bodies import read_yaml  # noqa: PLC0415 - a fast start

        return read_yaml(request.body)
    try:
        return read_json(request.body)
    except ApiError as error:
        if route.parse_refusal is not None:
            raise _wrapped(cluster, request, route.parse_refusal, error) from None
        error.status = cluster.rules.malformed_json_status
        if not request.path.endswith("_predict") and "/_predict/" not in request.path:
            raise
        # Predict looks for the model first.
        return Document(request.body.decode(errors="replace"), None, fault=error)


def _bad_media_type(header: str) -> ApiError:
    cause = {"type": "illegal_argument_exception", "reason": f"invalid Content-Type header [{header}]"}
    reason = f"java.lang.IllegalArgumentException: {cause['reason']}"
    return ApiError(400, "content_type_header_exception", reason, caused_by=cause)


def _wrapped(cluster: Cluster, request: Request, refusal: tuple[str, str], error: ApiError) -> ApiError:
    """A body that does not begin as an object is not even parsed by those who wrap the parser's refusal."""
    if not request.body.lstrip().startswith(b"{"):
        error = not_x_content()
        if refusal[0] == "parse_exception":
            return error
    cause = {"type": error.type, "reason": error.reason}
    return ApiError(cluster.rules.malformed_json_status, *refusal, caused_by=cause)


def _render(
    cluster: Cluster, request: Request, query: dict[str, str], given: Answer, *, filtered: bool = True
) -> Response:
    if given.text is not None:
        return _response(cluster, given, "text/plain; charset=UTF-8", given.text.encode())
    value = given.value
    if filtered and query.get("filter_path"):
        value = filter_paths(value, query["filter_path"].split(","))
    if _wants_yaml(request, query):
        from mlconform.mock_server.opensearch_ml.bodies.yaml_bodies import write_yaml  # noqa: PLC0415 - a fast start

        return _response(cluster, given, YAML, write_yaml(value).encode("utf-8", "replace"))
    pretty = query.get("pretty", "true" if request.path == "/" else "false") in ("", "true")
    return _response(cluster, given, JSON_UTF8, encode_json(value, pretty=pretty))


def _response(cluster: Cluster, given: Answer, content_type: str, body: bytes) -> Response:
    body = cluster.second_refusals.written_into(body)
    if not cluster.rules.bodies_are_whole:
        body = body[:-1]
    if not cluster.rules.content_type_is_true:
        content_type = "text/plain"
    return Response(given.status, (("content-type", content_type), *given.headers), body)


def _wants_yaml(request: Request, query: dict[str, str]) -> bool:
    """The format asked for, then the one accepted, then that of the request's body."""
    if "format" in query:
        return query["format"] == "yaml"
    accept = request.headers.get("accept", "")
    if not request.body and YAML not in accept.lower():
        return False
    accepted = _media_type(accept)
    if accepted in (YAML, "application/json"):
        return accepted == YAML
    return bool(request.body) and _media_type(request.headers.get("content-type", "")) == YAML


def filter_paths(value: Any, patterns: list[str]) -> Any:
    """What `filter_path` leaves: dotted paths with `*` and `**`, and a leading minus to leave out."""
    includes = [_steps(pattern) for pattern in patterns if pattern and not pattern.startswith("-")]
    excludes = [_steps(pattern[1:]) for pattern in patterns if pattern.startswith("-")]
    kept = _included(value, includes) if includes else value
    rest = _excluded(kept, excludes) if excludes else kept
    return {} if rest is None else rest


def _steps(pattern: str) -> list[str]:
    """The steps of a path; `**` twice in a row is as good as once, and nothing is as deep as a longer one."""
    steps = pattern.split(".")
    return [step for step, before in zip(steps, ["", *steps], strict=False) if not step == before == "**"][
        :_MAX_STEPS
    ]


def _advance(paths: list[list[str]], name: str) -> list[list[str]]:
    """The paths that go on below a member of this name, each once; an empty one has arrived."""
    below: dict[tuple[str, ...], None] = {}
    for path in paths:
        here = path
        while here and here[0] == "**":
            below[tuple(here)] = None
            here = here[1:]
        if here and fnmatch.fnmatchcase(name, here[0]):
            below[tuple(here[1:])] = None
    return [list(path) for path in below]


def _included(value: Any, paths: list[list[str]]) -> Any:
    if isinstance(value, list):
        items = [_included(item, paths) for item in value]
        return [item for item in items if item is not None] or None
    if not isinstance(value, dict):
        return None
    kept = {}
    for name, member in value.items():
        below = _advance(paths, name)
        if any(not path or path == ["**"] for path in below):
            kept[name] = member
        elif below and (part := _included(member, below)) is not None:
            kept[name] = part
    return kept or None


def _excluded(value: Any, paths: list[list[str]]) -> Any:
    if isinstance(value, list):
        return [_excluded(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, member in value.items():
        below = _advance(paths, name)
        if not any(not path for path in below):
            kept[name] = _excluded(member, below) if below else member
    return kept
