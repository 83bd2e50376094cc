"""The other nodes of a cluster are found where it publishes them, or where the user says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable, UsageError
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.running.options import RunOptions
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.credentials import basic
from mlconform.conformance.targets.opensearch_nodes import reach
from mlconform.conformance.targets.session import Session

PROFILE = "opensearch-ml"


@pytest.fixture
def opened() -> Iterator[Any]:
    with ExitStack() as closing:

        def open_session(target: str, *further: str) -> Session:
            session = connect(PROFILE, TargetOptions(target=target, further=further))
            closing.callback(session.close)
            return session

        yield open_session


def addresses(session: Session) -> set[str]:
    return {way.base_url for way in session.elsewhere}


def test_published_addresses_are_used(opened: Any, serve_mock: Any) -> None:
    mock = serve_mock(nodes=3, every_node=True)
    assert addresses(opened(mock.url)) == set(mock.urls[1:])
    assert addresses(opened(mock.urls[2])) == set(mock.urls[:2])


def test_what_is_written_through_one_is_read_through_another(opened: Any, serve_mock: Any) -> None:
    session = opened(serve_mock(nodes=2, every_node=True).url)
    (other,) = session.at_other_nodes()
    made = session.request("POST", "/_plugins/_ml/model_groups/_register", {"name": "g"})
    read = other.request("GET", f"/_plugins/_ml/model_groups/{made.member('model_group_id')}")
    assert read.member("name") == "g"
    assert read.record().url.startswith(session.elsewhere[0].base_url)
    assert read in session.journal


def test_where_no_address_is_told_it_takes_more_nodes(opened: Any, serve_mock: Any) -> None:
    session = opened(serve_mock(nodes=2).url)
    assert session.elsewhere == ()
    with pytest.raises(Untestable) as error:
        session.needs("several addresses")
    assert error.value.remedy == "nodes"


def test_the_mock_in_this_process_has_all_its_nodes(opened: Any) -> None:
    assert len(opened("mock").elsewhere) == 1


def test_given_addresses_are_used_alone(opened: Any, serve_mock: Any) -> None:
    mock = serve_mock(nodes=3, every_node=True)
    assert addresses(opened(mock.url, mock.urls[2])) == {mock.urls[2]}


def test_another_cluster_is_told(opened: Any, serve_mock: Any) -> None:
    mine, other = serve_mock(seed=1), serve_mock(seed=2)
    with pytest.raises(PrerequisiteMissing, match="correct the further --target"):
        opened(mine.url, other.url)


def test_a_given_address_must_answer(opened: Any, serve_mock: Any, free_port: int) -> None:
    with pytest.raises(TargetUnreachable):
        opened(serve_mock().url, f"http://127.0.0.1:{free_port}")


def nodes_at(*published: str) -> dict[tuple[str, str], Any]:
    """A cluster whose first node answers, and whose others publish these addresses."""
    nodes = {f"n{number}": {"http": {"publish_address": told}} for number, told in enumerate(published)}
    return {
        ("GET", "/"): (200, {"cluster_uuid": "u"}),
        ("GET", "/_nodes/http"): (200, {"nodes": {"own": {"http": {"publish_address": "x:1"}}, **nodes}}),
        ("GET", "/_nodes/_local/http"): (200, {"nodes": {"own": {}}}),
    }


def test_a_published_address_that_is_not_reached_is_noted(talk_to: Any) -> None:
    session, _ = talk_to(nodes_at("node-2/192.0.2.1:9200"))
    assert reach(session, ()) == ()
    assert "1 of the other nodes" in session.facts.notes[0]


def test_credentials_go_to_no_address_that_only_the_cluster_vouches_for(
    talk_to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _ = talk_to(nodes_at("192.0.2.1:9200"), credentials=basic("u", "p"))
    asked: list[str] = []
    monkeypatch.setattr(session.transport, "at", asked.append)
    assert reach(session, ()) == ()
    assert asked == []


@pytest.mark.parametrize("targets", [("mock", "http://h:1"), ("http://h:1", "mock"), ("http://h:1", "h")])
def test_what_is_no_further_node_is_refused(targets: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="expected --target"):
        RunOptions(target=TargetOptions(target=targets[0], further=targets[1:]))


def test_a_repetition_names_all_addresses() -> None:
    options = RunOptions(target=TargetOptions(target="http://a:1", further=("http://u:p@b:2",)))
    assert options.repeated[:2] == ("--target", "http://b:2")
