"""A recording sent to the mock, exchange by exchange, and what each answer shares with the recorded one."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import yaml
from msgspec import Struct
from msgspec.structs import replace

from mlconform.mock_server.clock import Clock
from mlconform.mock_server.core import Request, Response
from mlconform.mock_server.downloads import Download, Fetched, is_near
from mlconform.mock_server.fetching import REFUSED, answered
from mlconform.mock_server.opensearch_ml.routes import ML
from mlconform.mock_server.opensearch_ml.security.accounts import Security
from mlconform.mock_server.parity.appearance import Appearances, swap_ids
from mlconform.mock_server.parity.recording import RUNS, START, STOP, Exchange, Recording, Run
from mlconform.mock_server.parity.served import Served
from mlconform.mock_server.server import MockServer

SETTINGS = {
    "plugins.ml_commons.sync_up_job_interval_in_seconds": 10,
    "plugins.ml_commons.safe_delete_model": False,
    "plugins.ml_commons.allow_custom_deployment_plan": False,
    "plugins.ml_commons.model_auto_deploy.enable": True,
}
"""What the recorder set before each scenario."""

ONLY_ML_NODES = "plugins.ml_commons.only_run_on_ml_node"
"""This too, which matters since it tells how many nodes are for machine learning."""

PASSWORD = "Kit-only-4-tests"
"""The password of every user of the secured nodes that were recorded."""

NOBODY, WRONG = "(none)", "wrong-password"
"""What recordings name as the user of requests without credentials, and with a wrong password."""

# An address of the recorded machine at which nothing listened.
_NOBODY = "//127.0.0.1:9/"
_START = 1_795_200_000.0


class Compared(Struct, frozen=True):
    """One exchange with the mock's answer; `expected` and `got` are the bodies as they were compared."""

    exchange: Exchange
    status: bool
    error_type: bool
    shape: bool
    values: bool
    expected: Any
    got: Any


class Replayed(Struct, frozen=True):
    """One scenario, replayed."""

    recording: Recording
    compared: tuple[Compared, ...]


class _Moment:
    """The time of the replay: the recorded one, counted from a fixed instant."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return _START + self.seconds


class _Recorded:
    """The files that the recorded node could fetch; they come when they came there."""

    def __init__(self, serves: Mapping[str, Served]) -> None:
        self._serves = serves

    def begin(self, url: str) -> Download | None:
        if not is_near(url):
            return None
        served = self._serves.get(url.rpartition("/")[2])
        if served is None or _NOBODY in url:
            return _Coming(Fetched(error=REFUSED), 0.0)
        return _Coming(answered(url, served.status, served.content), served.after)


class _Coming(Struct, frozen=True):
    fetched: Fetched
    after: float

    def arrived(self, elapsed: float) -> Fetched | None:
        return self.fetched if elapsed >= self.after else None


def replay(recording: Recording, *, behaviour: str, nodes: int = 1, seed: int = 0) -> Replayed:
    """Send a recording to a mock of this behaviour that nobody has used before.

    What chance made is sent once for each seed in turn, until the mock does the same: ten times as often as
    the node was asked, at most.
    """
    seeds = range(seed, seed + max(1, 10 * recording.tries))
    replays = (_replay(recording, behaviour, nodes, each) for each in seeds)
    best = next(replays)
    for replayed in replays:
        if _agreeing(best) == (len(best.compared),) * 2:
            break
        best = max(best, replayed, key=_agreeing)
    return best


def _agreeing(replayed: Replayed) -> tuple[int, int]:
    """How many exchanges agree in status, type and shape, and how many in their values too."""
    alike = sum(one.status and one.error_type and one.shape for one in replayed.compared)
    return alike, sum(one.values for one in replayed.compared)


def _replay(recording: Recording, behaviour: str, nodes: int, seed: int) -> Replayed:
    moment = _Moment()
    server = MockServer(
        profiles=("opensearch-ml",),
        behaviour=behaviour,
        nodes=nodes,
        ml_nodes=None if recording.ml_nodes is None else min(recording.ml_nodes, nodes),
        clock=Clock(moment),
        seed=seed,
        security=Security(PASSWORD) if recording.is_secured else None,
        downloads=_Recorded(recording.serves),
    )
    _prepare(server, recording)
    if not recording.fresh:
        _warm_up(server)
    sides = _Sides(server)
    compared = []
    for step in recording.steps:
        moment.seconds = max(moment.seconds, step.at)
        if isinstance(step, Run):
            body = {step.what: nodes} if step.what in (STOP, START) else None
            _send(server, "POST", f"/_mock/{RUNS[step.what]}", body)
            continue
        request = sides.translate(step.request)
        request = replace(request, headers={**request.headers, **_credentials(step.user)})
        compared.append(sides.compare(step, server.handle(request)))
    return Replayed(recording, tuple(compared))


def _prepare(server: MockServer, recording: Recording) -> None:
    any_node = {} if recording.ml_nodes is None else {ONLY_ML_NODES: False}
    settings = {**SETTINGS, **any_node, **recording.settings}
    _send(server, "PUT", "/_cluster/settings", {"persistent": settings})
    answers = (exchange.answer for exchange in recording.exchanges if exchange.status == 200)
    endpoint = next((found for answer in answers if (found := _endpoint_answer(answer)) is not None), None)
    if endpoint is not None:
        _send(server, "PUT", "/_mock/predict", {"answer": endpoint})


def _warm_up(server: MockServer) -> None:
    """Make the indices of ML Commons, which the recorded nodes had from recordings before this one."""
    address = "https://api.openai.com/v1"
    action = {"action_type": "predict", "method": "POST", "url": address, "request_body": ""}
    form = {"name": "n", "description": "d", "version": 1, "protocol": "http"}
    connector = {**form, "credential": {"key": "k"}, "actions": [action]}
    made = _send(server, "POST", f"{ML}/connectors/_create", connector)["connector_id"]
    group = _send(server, "POST", f"{ML}/model_groups/_register", {"name": "n"})["model_group_id"]
    model = {"name": "n", "function_name": "remote", "connector_id": made, "model_group_id": group}
    registered = _send(server, "POST", f"{ML}/models/_register", model)
    for kind, thing in (
        ("models", registered["model_id"]),
        ("tasks", registered["task_id"]),
        ("model_groups", group),
        ("connectors", made),
    ):
        _send(server, "DELETE", f"{ML}/{kind}/{thing}")


def _credentials(user: str | None) -> dict[str, str]:
    """What the recorder sent of this user, whose name may also say that it was nobody, or the wrong one."""
    if user is None or user == NOBODY:
        return {}
    name, password = ("admin", "wrong") if user == WRONG else (user, PASSWORD)
    encoded = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"authorization": f"Basic {encoded}"}


def _endpoint_answer(answer: Any) -> Any:
    """What the recorded remote endpoint answered, where this is the answer of a predict call."""
    try:
        return answer["inference_results"][0]["output"][0]["dataAsMap"]
    except (TypeError, LookupError):
        return None


def _send(server: MockServer, method: str, path: str, body: Any = None) -> Any:
    content = b"" if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json", **_credentials("admin")}
    return json.loads(server.handle(Request(method, path, "", headers, content)).body)


class _Sides:
    """Both sides of one replay: the nth id of the recording stands for the nth of the mock."""

    def __init__(self, server: MockServer) -> None:
        self._recorded = Appearances()
        self._mock = Appearances()
        self._nodes = list(_send(server, "GET", "/_nodes")["nodes"])

    def translate(self, request: Request) -> Request:
        """The recorded request with the mock's ids in the place of the recorded ones."""
        return replace(
            request,
            path=swap_ids(request.path, self._own_id),
            body=swap_ids(request.body.decode("utf-8", "surrogateescape"), self._own_id).encode(
                "utf-8", "surrogateescape"
            ),
        )

    def _own_id(self, recorded: str) -> str:
        """The mock's id; one that no answer has shown can only be that of a node, or of nothing."""
        if recorded not in self._recorded.ids and recorded not in self._mock.ids:
            self._recorded.meet(recorded)
            stranger = next((node for node in self._nodes if node not in self._mock.ids), recorded)
            self._mock.meet(stranger)
        token = self._recorded.ids.get(recorded)
        return (self._mock.name(token) if token else None) or recorded

    def compare(self, exchange: Exchange, response: Response) -> Compared:
        """Hold the mock's answer against the recorded one."""
        place = (self._recorded.text(exchange.request.path), exchange.request.query)
        expected = self._recorded.plain(_decoded(exchange.answer, exchange.content_type), place)
        answer = _decoded(response.body.decode(), dict(response.headers).get("content-type"))
        got = self._mock.plain(answer, place)
        self._level()
        return Compared(
            exchange=exchange,
            status=exchange.status == response.status,
            error_type=_error_type(expected) == _error_type(got),
            shape=_shape(expected) == _shape(got),
            values=expected == got and exchange.content_type == dict(response.headers).get("content-type"),
            expected=expected,
            got=got,
        )

    def _level(self) -> None:
        """Where one side showed more ids than the other, the next new ones still stand for each other."""
        while len(self._recorded) != len(self._mock):
            shorter = min(self._recorded, self._mock, key=len)
            shorter.meet(f"(missing {len(shorter)})")


def _decoded(body: Any, content_type: str | None) -> Any:
    if not isinstance(body, str):
        return body
    kind = (content_type or "").partition(";")[0]
    if kind == "application/yaml":
        return yaml.safe_load(body)
    try:
        return json.loads(body) if kind == "application/json" else body
    except ValueError:
        # Nothing, or two answers in one, which a recording has as a text.
        return body


def _error_type(body: Any) -> str | None:
    """The type of OpenSearch's error, `text` where it is a plain sentence, None where there is none."""
    if not isinstance(body, dict) or "error" not in body:
        return None
    error = body["error"]
    return str(error.get("type")) if isinstance(error, dict) else "text"


def _shape(body: Any) -> Any:
    """Member names and the kinds of values; all numbers are of one kind."""
    if isinstance(body, dict):
        return {name: _shape(value) for name, value in body.items()}
    if isinstance(body, list):
        return [_shape(item) for item in body]
    if isinstance(body, bool) or body is None:
        return type(body).__name__
    return "number" if isinstance(body, int | float) else "text"
