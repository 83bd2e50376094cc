"""Models that are hosted elsewhere: what is sent to their endpoint, and what its answer becomes."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from mlconform.mock_server.endpoint import Reply
from mlconform.mock_server.opensearch_ml.bodies.fields import Fields
from mlconform.mock_server.opensearch_ml.cluster import Call, Cluster
from mlconform.mock_server.opensearch_ml.connectors import fill, find_action
from mlconform.mock_server.opensearch_ml.errors import ApiError, illegal_argument, node_error, status_error
from mlconform.mock_server.opensearch_ml.opensearch_core.settings import PRIVATE_IP
from mlconform.mock_server.opensearch_ml.prediction import gson, guardrails, json_path, post_processing
from mlconform.mock_server.opensearch_ml.prediction.java_maps import map_ordered
from mlconform.mock_server.opensearch_ml.prediction.payloads import escaped, is_json
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import Connector, JsonObject, Model
from mlconform.mock_server.stubs import Asked

_PLACE = re.compile(r"\$\{parameters\.([^}]+)\}")
_NULL_PLACE = re.compile(r'"\$\{parameters\.(\w+):-null\}"')
_BLANKS = " \t\r\n"
_PRE_PROCESS = "connector.pre_process."
_DOCS_NAMED = {
    "default.embedding": "input",
    "openai.embedding": "input",
    "cohere.embedding": "texts",
    "bedrock.embedding": "inputText",
}


class RemoteInput(Struct, frozen=True):
    """What a predict call sends: parameters, every one a text, or documents for a pre-process function.

    `body` is all of it as it came.
    """

    parameters: dict[str, str] | None = None
    docs: tuple[str, ...] | None = None
    action: str = "PREDICT"
    body: Any = None


def read_parameters(fields: Fields, action: str) -> RemoteInput:
    """The input of a body in the form that remote models have; the body may name another action."""
    kind = fields.text("action_type")
    if kind is not None and kind.upper() not in ("PREDICT", "BATCH_PREDICT"):
        raise illegal_argument(f"Wrong Action Type of {kind}")
    if "parameters" not in fields:
        return RemoteInput(action=(kind or action).upper(), body=fields.values)
    value = fields.get("parameters")
    members = value if isinstance(value, dict) else {}
    texts = {name: gson.kept_text(member) for name, member in members.items()}
    return RemoteInput(texts, action=(kind or action).upper(), body=fields.values)


def instance(sent: RemoteInput, schema: str, rules: Rules) -> JsonObject:
    """The input as it is held to a model's interface: texts that are JSON are values again."""
    if sent.docs is not None:
        shown = {"text_docs": list(sent.docs), "return_bytes": False, "return_number": True}
        return {"algorithm": "REMOTE", **shown}
    parameters = None
    if sent.parameters is not None:
        kept = _string_parameters(schema) if rules.interface_keeps_strings else frozenset()
        parameters = {
            name: text if name in kept else _value(text)
            for name, text in map_ordered(sent.parameters).items()
        }
    return {"algorithm": "REMOTE", "parameters": parameters, "action_type": sent.action}


def _string_parameters(schema: str) -> frozenset[str]:
    try:
        value = gson.read(schema)
    except ValueError:
        return frozenset()
    for name in ("properties", "parameters", "properties"):
        value = value.get(name) if isinstance(value, dict) else None
    members = value if isinstance(value, dict) else {}
    return frozenset(
        name
        for name, member in members.items()
        if isinstance(member, dict) and member.get("type") == "string"
    )


def _value(text: str) -> Any:
    """The JSON value with which a text begins, where a word ends behind it, else the text; blank is null."""
    begun = text.lstrip(_BLANKS)
    if not begun:
        return None
    try:
        value, end = _DECODER.raw_decode(begun)
    except (ValueError, RecursionError):
        return text
    ends = not begun[end : end + 1].strip(_BLANKS)
    return value if ends or isinstance(value, dict | list | str) else text


def _refuse(literal: str) -> Any:
    raise ValueError(literal)


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def connector_of(cluster: Cluster, model: Model) -> Connector:
    """The connector that the model was deployed with; a standalone one can't go while a model names it."""
    connector = model.connector
    if connector is None and model.connector_id is not None:
        connector = cluster.store.connectors.get(model.connector_id)
    if connector is None:
        raise status_error(404, f"Failed to find connector:{model.connector_id}")
    return connector


def invoke(cluster: Cluster, model: Model, sent: RemoteInput) -> list[JsonObject]:
    """Ask the endpoint, once or once a document; gives the results. Raises ApiError for what fails."""
    connector = connector_of(cluster, model)
    action = find_action(connector, sent.action)
    if action is None:
        raise illegal_argument(f"no {sent.action} action found")
    return [_ask(cluster, model, connector, action, part) for part in _parts(action, sent)]


def _parts(action: JsonObject, sent: RemoteInput) -> list[RemoteInput]:
    """The calls to make: documents go through the pre-process function, which may take one at a time."""
    if sent.docs is None:
        return [sent]
    function = action.get("pre_process_function", f"{_PRE_PROCESS}default.embedding")
    kind = function.removeprefix(_PRE_PROCESS)
    name = _DOCS_NAMED.get(kind, "input")
    if kind == "bedrock.embedding":
        return [replace(sent, parameters={name: doc}) for doc in sent.docs]
    return [replace(sent, parameters={name: gson.to_text(list(sent.docs))})]


def _ask(
    cluster: Cluster, model: Model, connector: Connector, action: JsonObject, sent: RemoteInput
) -> JsonObject:
    own = {name: text if is_json(text) else escaped(text) for name, text in (sent.parameters or {}).items()}
    parameters = {**connector.parameters, **own}
    payload = _payload(action, parameters)
    if payload is not None and parameters.get("skip_validating_missing_parameters", "").lower() != "true":
        _require_filled(payload)
    take_token(cluster, model)
    cluster.let_others_in()
    if _stopped(cluster, model, "input_guardrail", payload or ""):
        raise illegal_argument("guardrails triggered for user input")
    _require_callable(cluster, model, action, parameters, payload)
    reply = cluster.endpoint.reply(asked(cluster, model, sent.body))
    return {"output": _output(cluster, model, action, parameters, reply), "status_code": reply.status}


def asked(cluster: Cluster, model: Model, body: Any) -> Asked:
    """A call of a model as stubs look at it."""
    connector_id = model.connector_id
    connector = model.connector or cluster.store.connectors.get(connector_id or "")
    names = (connector_id, connector.name if connector is not None else None)
    return Asked((model.id, model.name), tuple(name for name in names if name is not None), body)


def _payload(action: JsonObject, parameters: dict[str, str]) -> str | None:
    """The body of the call; without a template the parameter `http_body` is all of it."""
    template = action.get("request_body")
    if template is None:
        return parameters.get("http_body")
    known = _NULL_PLACE.sub(lambda place: place[0] if place[1] in parameters else "null", template)
    payload = fill(known, parameters)
    if not is_json(payload):
        raise illegal_argument(f"Invalid payload: {payload}")
    return payload


def _require_filled(payload: str) -> None:
    missing = _PLACE.findall(payload)
    if missing:
        raise illegal_argument(f"Some parameter placeholder not filled in payload: {', '.join(missing)}")


def take_token(cluster: Cluster, model: Model) -> None:
    """Count a call against the model's rate limit. Raises ApiError 429 where it is one too many."""
    if cluster.rules.rate_limit_enforced and not cluster.throttle.allows(model, cluster.clock.now()):
        raise status_error(429, "Request is throttled at model level.")


def take_token_of_user(call: Call, model: Model) -> None:
    """Count a call against the limit that a controller gives its caller. Raises ApiError 429."""
    controller, cluster = call.cluster.store.controllers.get(model.id), call.cluster
    if controller is None or call.caller is None or not cluster.rules.user_limits_enforced:
        return
    user = call.caller.name
    if not cluster.throttle.allows_user(model, user, controller.limits.get(user), cluster.clock.now()):
        raise status_error(
            429,
            "Request is throttled at user level. If you think there's an issue, please contact your cluster "
            "admin.",
        )


def _stopped(cluster: Cluster, model: Model, side: str, text: str) -> bool:
    return guardrails.triggered(model.guardrails, side, text, cluster.endpoint.body, cluster.store.indices)


def _require_callable(
    cluster: Cluster, model: Model, action: JsonObject, parameters: dict[str, str], payload: str | None
) -> None:
    """What a client refuses to call, before any connection is made.

    No call is ever made: a host below `.invalid` does not resolve, at port 1 nothing listens, and everything
    else answers.
    """
    method, url = action["method"].upper(), fill(action["url"], parameters)
    if method not in ("POST", "GET"):
        raise illegal_argument("unsupported http method")
    scheme, host, port = _address(url)
    if scheme not in ("http", "https"):
        raise illegal_argument(f"Protocol is not http or https: {scheme}")
    if host.endswith(".invalid"):
        raise _not_called("unknown_host_exception", f"{host}: Name or service not known")
    if not cluster.settings.on(PRIVATE_IP) and _is_private(host):
        raise illegal_argument(f"Remote inference host name has private ip address: {host}")
    if method == "POST" and not payload:
        raise illegal_argument("Content length is 0. Aborting request to remote model")
    if port == 1:
        model.is_stuck = not cluster.rules.failed_calls_leave_model_usable
        shown = "localhost/127.0.0.1" if host == "localhost" else f"/{host}"
        raise status_error(500, f"Error communicating with remote model: Connection refused: {shown}:1")


def _address(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port. Raises ApiError for what is no URL."""
    try:
        parts = urlsplit(url)
        if parts.scheme:
            return parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError:
        pass
    raise _not_called("malformed_u_r_l_exception", f"no protocol: {url}")


def _not_called(kind: str, reason: str) -> ApiError:
    return node_error("m_l_exception", "Fail to execute http connector", {"type": kind, "reason": reason})


def _is_private(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _output(
    cluster: Cluster, model: Model, action: JsonObject, parameters: dict[str, str], reply: Reply
) -> list[JsonObject]:
    """The tensors that the endpoint's answer becomes. Raises ApiError for an answer that is none."""
    status, body, rules = reply.status, reply.body, cluster.rules
    if not body.strip() and not rules.empty_answer_names_status:
        raise status_error(400, "No response from model")
    if not 200 <= status <= 300:
        told = f"Error from remote service: {body}"
        empty = f"Remote service returned error status {status} with empty body"
        raise status_error(status, told if body.strip() else empty)
    if not body.strip():
        raise status_error(502, "Remote service returned empty response body")
    try:
        if _stopped(cluster, model, "output_guardrail", body):
            raise illegal_argument("guardrails triggered for LLM output")
        return _tensors(body, action.get("post_process_function"), parameters.get("response_filter"))
    except ApiError as error:
        raise _wrapped(error, action) if rules.output_faults_wrapped else error from None
    except json_path.PathNotFoundError as error:
        fault = node_error("path_not_found_exception", str(error))
        raise _wrapped(fault, action) if rules.output_faults_wrapped else fault from None


def _wrapped(error: ApiError, action: JsonObject) -> ApiError:
    reason = f"Fail to execute {action['action_type']} in aws connector"
    return ApiError(500, "m_l_exception", reason, caused_by={"type": error.type, "reason": error.reason})


def _tensors(body: str, function: str | None, response_filter: str | None) -> list[JsonObject]:
    if function is not None and post_processing.is_known(function):
        return post_processing.process(function, _parsed(body), response_filter)
    if response_filter is None:
        return [_response(body)]
    return [_response(json_path.read(_parsed(body), response_filter))]


def _parsed(body: str) -> Any:
    try:
        return gson.read(body)
    except ValueError:
        return body


def _object_or_array(text: str) -> Any:
    """What a text is as JSON, where a node takes it for an object or an array."""
    try:
        return gson.read(text, doubles=True) if is_json(text) else None
    except ValueError:
        return None


def _response(value: Any) -> JsonObject:
    """One answer as a tensor: an object as it is, everything else as its member `response`."""
    parsed = _object_or_array(value) if isinstance(value, str) else None
    if parsed is not None:
        data = parsed if isinstance(parsed, dict) else {"response": parsed}
        return {"name": "response", "dataAsMap": data}
    return {"name": "response", "dataAsMap": {"response": value}}
