"""What a run sends, makes and changes, learned by carrying out its checks on the mock in this process."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.contract.routes import Routes
from mlconform.conformance.running.checks import bound_requirements, check_name
from mlconform.conformance.running.judging import Judging
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.running.preview import PROFILE, Outlook
from mlconform.conformance.running.run import run_pytest
from mlconform.conformance.suites.signatures import route
from mlconform.conformance.targets.connect import TargetOptions, new_run_id, prepare
from mlconform.conformance.targets.exchange import Answer, OutgoingRequest
from mlconform.conformance.targets.opensearch_settings import SETTINGS
from mlconform.conformance.targets.session import CONTROL, Session
from mlconform.conformance.targets.tracker import Resource, Tracker
from mlconform.conformance.targets.transport import Forwarding, Transport
from mlconform.conformance.targets.turns import Tell

PREPARING: Final = "preparing"
_RESTART: Final = f"{CONTROL}restart"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was counted. `sent` has the requests of each operation by area, which is the second part of the
    id of what a check decides first, or `preparing`; `made` the things of each kind; `changed` by setting
    the values that were set, as they are read back, and for what: names of checks, or `preparing`. `restarts`
    is how often the target was restarted.
    """

    sent: dict[str, Counter[str]]
    made: Counter[str]
    changed: dict[str, dict[str, set[str]]]
    restarts: int


@dataclass
class Notes:
    """Remembers on whose behalf what was sent and made."""

    area: str = PREPARING
    check: str = PREPARING
    sent: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    made: Counter[str] = field(default_factory=Counter)
    changed: dict[str, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    restarts: int = 0

    def of(self, request: OutgoingRequest, answer: Answer, routes: Routes) -> None:
        path = request.path.partition("?")[0]
        if path.startswith(CONTROL):
            self.restarts += (request.method, path) == ("POST", _RESTART)
            return
        self.sent[self.area][route(request.method, request.path, routes)] += 1
        if (request.method, path, answer.status) == ("PUT", SETTINGS, 200):
            for name, value in _set_by(request.body):
                values = self.changed[name]
                # A check puts back what stood there before it.
                if self.check == PREPARING or PREPARING not in values[value]:
                    values[value].add(self.check)


def read_back(value: Any) -> str:
    """The value of a setting as a node reads it back: a flag and a number are texts."""
    return value if isinstance(value, str) else json.dumps(value)


def _set_by(body: bytes | None) -> list[tuple[str, str]]:
    """The settings that such a request sets; one that is null is put back."""
    try:
        sent = json.loads(body or b"")
    except ValueError:
        return []
    persistent = sent.get("persistent") if isinstance(sent, dict) else None
    found = persistent.items() if isinstance(persistent, dict) else ()
    return [(name, read_back(value)) for name, value in found if value is not None]


@dataclass(frozen=True, slots=True)
class Noting(Forwarding):
    """Sends as `inner` does, and notes it."""

    inner: Transport
    routes: Routes
    notes: Notes

    def send(self, request: OutgoingRequest) -> Answer:
        answer = self.inner.send(request)
        self.notes.of(request, answer, self.routes)
        return answer

    def at(self, base_url: str) -> Transport:
        return replace(self, inner=self.inner.at(base_url))


class NotingTracker(Tracker):
    """Counts what it is given to remember."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes

    def add(self, resource: Resource) -> None:
        self._notes.made[resource.kind] += 1
        super().add(resource)


class _Chosen:
    """A pytest plugin: runs these checks alone, and says whose turn it is."""

    def __init__(self, judging: Judging, nodeids: Collection[str], notes: Notes) -> None:
        self._judging = judging
        self._nodeids = nodeids
        self._notes = notes

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._nodeids]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._notes.check = check_name(item).partition("/")[2]
        decided = next(filter(self._judging.judges, bound_requirements(item)))
        self._notes.area = decided.split(".")[1]


def rehearse(options: RunOptions, found: Outlook) -> Rehearsal:
    """Carry out the checks that a run of these options would go through on the target that was looked at, on
    a mock of the documentation that it is judged by, with what the user allows there."""
    notes = Notes()
    routes = Routes.of(store.load(found.profile, found.documentation).openapi)

    def make_ready(session: Session, tell: Tell) -> None:
        session.options = replace(
            session.options,
            may_change_settings=found.settings is not False,
            shared=not options.target.in_process,
        )
        session.tracker = NotingTracker(notes)
        session.transport = Noting(session.transport, routes, notes)
        prepare(session, tell)
        if found.models == ():
            session.options = replace(session.options, model_ids=())

    target = TargetOptions(
        docs_version=found.documentation if found.profile == PROFILE else None,
        security=found.account is not None,
        run_id=new_run_id(),
    )
    judging = Judging(
        replace(
            options, target=target, profile=found.profile, docs_version=found.documentation, waivers=None
        ),
        make_ready=make_ready,
    )
    try:
        judging.target(found.profile)
        run_pytest(judging, [_Chosen(judging, found.chosen, notes)], [])
    finally:
        judging.close()
    return Rehearsal(dict(notes.sent), notes.made, dict(notes.changed), notes.restarts)
