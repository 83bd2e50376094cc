"""Users of a secured cluster: who somebody is, and users of the run's own, which go again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from mlconform.conformance.contract.model import Condition, Remedy
from mlconform.conformance.errors import PrerequisiteMissing
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets import opensearch_discovery, opensearch_settings, opensearch_sweep
from mlconform.conformance.targets.credentials import Credentials, basic
from mlconform.conformance.targets.opensearch_users import users_of, who_is
from mlconform.conformance.targets.session import Session, SessionOptions
from mlconform.conformance.targets.transport import InProcessTransport
from mlconform.conformance.targets.users import Part
from mlconform.mock_server import DEFAULT_PASSWORD, MockServer, Security
from mlconform.mock_server.core import Request

USERS = "/_plugins/_security/api/internalusers"


def account(name: str, password: str = DEFAULT_PASSWORD) -> Credentials:
    return basic(name, password)


@pytest.fixture
def secured() -> Iterator[Callable[..., Session]]:
    server = MockServer(security=Security())
    opened: list[Session] = []

    def handle(
        method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        response = server.handle(Request(method, path, query, headers, body))
        return response.status, list(response.headers), response.body

    def connect(own: Credentials, *users: Credentials, create_users: bool = False) -> Session:
        options = SessionOptions("mlconform-test-", own, users=users, create_users=create_users)
        opened.append(Session(InProcessTransport(handle), options, "osml.wire.json"))
        return opened[-1]

    yield connect
    for session in opened:
        session.close()


def test_the_target_tells_who_somebody_is(secured: Callable[..., Session]) -> None:
    found = who_is(secured(account("alice")))
    assert found is not None
    assert (found.name, found.backend_roles, found.may_all) == ("alice", frozenset({"team_a"}), True)


def test_who_is_not_let_in_is_told_what_to_do(secured: Callable[..., Session]) -> None:
    session = secured(account("admin"), account("alice", "wrong-password"))
    with pytest.raises(PrerequisiteMissing, match=r"the credentials of alice are not accepted.*correct them"):
        users_of(session)


def test_a_target_without_users_has_none(talk_to: Callable[..., tuple[Session, object]]) -> None:
    session, _ = talk_to({}, credentials=account("admin"))
    assert who_is(session) is None
    with pytest.raises(Untestable, match="Security plugin") as caught:
        users_of(session)
    assert caught.value.remedy is Remedy.USERS


def test_users_that_were_given_play_parts(secured: Callable[..., Session]) -> None:
    found = users_of(secured(account("admin"), *map(account, ("alice", "bob", "ml_read", "nobody"))))
    assert {part: user.name for part, user in found.items()} == {
        Part.ADMIN: "admin",
        Part.OWNER: "alice",
        Part.STRANGER: "bob",
        Part.READER: "ml_read",
        Part.NOBODY: "nobody",
    }


class TestUsersOfItsOwn:
    def test_they_play_what_nobody_else_does_and_go_again(self, secured: Callable[..., Session]) -> None:
        session = secured(account("admin"), account("alice"), create_users=True)
        found = users_of(session)
        assert set(found) == set(Part)
        peer = who_is(session.acting_as(found[Part.PEER].credentials))
        assert peer is not None and peer.backend_roles == found[Part.OWNER].backend_roles == {"team_a"}
        assert session.clean() == []
        assert not [name for name in session.aside("GET", USERS).json if name.startswith("mlconform-")]

    def test_an_ordinary_account_may_make_none(self, secured: Callable[..., Session]) -> None:
        with pytest.raises(Untestable, match="ml_full may make no users") as caught:
            users_of(secured(account("ml_full"), create_users=True))
        assert caught.value.remedy is Remedy.PERMISSION

    def test_a_sweep_takes_those_of_a_run_that_died(self, secured: Callable[..., Session]) -> None:
        session = secured(account("admin"), create_users=True)
        made = [user.name for user in users_of(session).values() if user.name.startswith("mlconform-")]
        session.tracker.take()
        removed, complaints = opensearch_sweep.sweep(session, "mlconform-")
        assert complaints == []
        assert set(removed) == {f"user {name}" for name in made}


class TestActingAsSomebodyElse:
    def test_it_is_evidence_of_the_same_check(self, secured: Callable[..., Session]) -> None:
        session = secured(account("admin"))
        session.acting_as(account("alice")).request("GET", "/")
        assert [exchange.request.credentials for exchange in session.journal] == [account("alice")]

    def test_what_is_made_is_removed_by_the_runs_own_account(self, secured: Callable[..., Session]) -> None:
        session = secured(account("admin"))
        assert session.acting_as(account("alice")).keeper is session
        assert session.acting_as(account("alice"), removes_itself=True).keeper is None


@pytest.mark.parametrize(
    ("value", "unmet"), [(True, {Condition.ACCESS_CONTROL_OFF}), (False, set()), (None, set())]
)
def test_whether_access_is_controlled_is_learned_before_anything_is_judged(
    secured: Callable[..., Session], value: bool | None, unmet: set[Condition]
) -> None:
    session = secured(account("admin"))
    setting = {opensearch_settings.MODEL_ACCESS_CONTROL: value}
    session.request("PUT", opensearch_settings.SETTINGS, {"persistent": setting})
    assert opensearch_discovery.discover(session).unmet == unmet


def test_where_nobody_tells_no_condition_is_taken_for_unmet(secured: Callable[..., Session]) -> None:
    session = secured(account("ml_read"))
    assert opensearch_discovery.unmet_conditions(session) == frozenset()
