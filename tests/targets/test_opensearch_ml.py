"""Discovery of a cluster with ML Commons, its settings, and what dead runs left on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from mlconform.conformance.outcomes import BrokenAnswer, PrerequisiteMissing, Untestable
from mlconform.conformance.suites.opensearch_ml.api import MlCommons
from mlconform.conformance.targets import opensearch_ml
from mlconform.conformance.targets.connect import PREFIX, TargetOptions, connect
from mlconform.conformance.targets.opensearch_ml import ML, SETTINGS
from mlconform.conformance.targets.session import Facts, Session

INTERVAL = "plugins.ml_commons.sync_up_job_interval_in_seconds"
AUTO_DEPLOY = "plugins.ml_commons.model_auto_deploy.enable"
TRUSTED = opensearch_ml.TRUSTED_ENDPOINTS
PRIVATE = opensearch_ml.PRIVATE_ADDRESSES
ROOT = {"version": {"number": "2.19.0", "distribution": "opensearch"}}
PLUGINS = [{"name": "n", "component": "opensearch-ml", "version": "2.19.0.0"}]
NODES = {"nodes": {"b": {"roles": ["data", "ingest"]}, "a": {"roles": ["ml"]}, "m": {"roles": ["master"]}}}
CLUSTER = {
    ("GET", "/"): (200, ROOT),
    ("GET", "/_cat/plugins"): (200, PLUGINS),
    ("GET", "/_nodes"): (200, NODES),
}


def test_a_cluster_is_discovered(talk_to: Any) -> None:
    session, _ = talk_to(CLUSTER)
    assert opensearch_ml.discover(session) == Facts("opensearch-ml", "opensearch", "2.19.0", ("a", "b"))


@pytest.mark.parametrize(
    ("path", "answer", "message"),
    [
        pytest.param("/", (401, {}), "MLCONFORM_USERNAME", id="no credentials"),
        pytest.param("/", (403, {}), "MLCONFORM_USERNAME", id="wrong credentials"),
        pytest.param("/", (200, b"<html>hello</html>"), "expected OpenSearch's JSON", id="html"),
        pytest.param("/", (500, {"error": "x"}), "expected OpenSearch's JSON.*500", id="server error"),
        pytest.param("/", (200, {"hello": "world"}), "expected version.number", id="another API"),
        pytest.param("/", (200, []), "expected version.number", id="a list"),
        pytest.param("/_cat/plugins", (200, []), "plugin opensearch-ml is not listed", id="no plugin"),
        pytest.param("/_cat/plugins", (200, 5), "plugin opensearch-ml is not listed", id="plugins a number"),
        pytest.param("/_cat/plugins", (403, {}), "plugin opensearch-ml is not listed", id="plugins hidden"),
        pytest.param("/_nodes", (200, {"nodes": []}), "expected the nodes", id="nodes no object"),
        pytest.param("/_nodes", (403, {}), "expected the nodes", id="nodes hidden"),
    ],
)
def test_what_is_missing_is_named(talk_to: Any, path: str, answer: Any, message: str) -> None:
    session, _ = talk_to({**CLUSTER, ("GET", path): answer})
    with pytest.raises(PrerequisiteMissing, match=message):
        opensearch_ml.discover(session)


def test_a_broken_body_of_the_plugins_is_the_targets_failure(talk_to: Any) -> None:
    session, _ = talk_to({**CLUSTER, ("GET", "/_cat/plugins"): (200, b"[{")})
    with pytest.raises(BrokenAnswer, match=r"osml\.wire\.json"):
        opensearch_ml.discover(session)


def test_nodes_of_unknown_shape_are_all_taken(talk_to: Any) -> None:
    session, _ = talk_to({**CLUSTER, ("GET", "/_nodes"): (200, {"nodes": {"x": 1, "y": {"roles": "data"}}})})
    assert opensearch_ml.discover(session).nodes == ("x", "y")


@pytest.fixture
def session() -> Iterator[Session]:
    """A session with a mock whose auto-deploy somebody had set before."""
    session = connect("opensearch-ml", TargetOptions())
    session.request("PUT", SETTINGS, {"persistent": {AUTO_DEPLOY: False, INTERVAL: None}})
    yield session
    session.clean()
    session.request("PUT", SETTINGS, {"persistent": {AUTO_DEPLOY: None}})
    session.close()


class TestSettings:
    def test_what_was_set_is_put_back(self, session: Session) -> None:
        opensearch_ml.change_settings(session, {AUTO_DEPLOY: True})
        session.clean()
        assert opensearch_ml.read_settings(session)[AUTO_DEPLOY] == "false"

    def test_what_was_not_set_is_unset_again(self, session: Session) -> None:
        opensearch_ml.change_settings(session, {INTERVAL: 3})
        assert INTERVAL in opensearch_ml.read_settings(session)
        session.clean()
        assert INTERVAL not in opensearch_ml.read_settings(session)

    def test_the_first_value_wins_where_it_was_changed_twice(self, session: Session) -> None:
        opensearch_ml.change_settings(session, {AUTO_DEPLOY: True})
        opensearch_ml.change_settings(session, {AUTO_DEPLOY: None})
        session.clean()
        assert opensearch_ml.read_settings(session)[AUTO_DEPLOY] == "false"

    def test_what_is_as_needed_is_left_alone(self, session: Session) -> None:
        opensearch_ml.prepare(session)
        assert session.tracker.take() == []

    def closed(self, session: Session, trusted: list[str]) -> list[str]:
        """What the connectors of a cluster may reach after a run prepared it that trusted these addresses."""
        session.request("PUT", SETTINGS, {"persistent": {PRIVATE: False, TRUSTED: trusted}})
        opensearch_ml.prepare(session)
        found = opensearch_ml.read_settings(session)
        session.clean()
        assert opensearch_ml.read_settings(session)[TRUSTED] == trusted
        session.request("PUT", SETTINGS, {"persistent": {PRIVATE: None, TRUSTED: None}})
        return [*found[TRUSTED], found[PRIVATE]]

    def test_the_runs_own_endpoint_is_trusted_and_nothing_else(self, session: Session) -> None:
        kept, added, private = self.closed(session, ["^https://models[.]example[.]org/.*$"])
        assert (kept, private) == ("^https://models[.]example[.]org/.*$", "true")
        assert re.fullmatch(added, session.endpoint.url)
        assert not re.fullmatch(added, session.endpoint.url.replace("127.0.0.1", "127x0.0.1"))
        assert not re.fullmatch(added, session.endpoint.url + "/more")

    def test_what_is_trusted_already_is_not_added(self, session: Session) -> None:
        kept, _ = self.closed(session, ["^http://127[.].*$"])
        assert kept == "^http://127[.].*$"

    def test_private_addresses_stay_closed_where_the_endpoint_is_public(self, talk_to: Any) -> None:
        answers = {("GET", SETTINGS): (200, {"defaults": {TRUSTED: [], PRIVATE: "false"}})}
        session, target = talk_to({**answers, ("PUT", SETTINGS): (200, {})}, endpoint_host="8.8.8.8")
        opensearch_ml.prepare(session)
        (changed,) = [body["persistent"] for method, path, body in target.sent if path == SETTINGS and body]
        assert list(changed) == [TRUSTED]
        session.close()

    def test_a_transient_value_does_not_become_persistent(self, session: Session) -> None:
        session.request("PUT", SETTINGS, {"transient": {INTERVAL: 7}})
        opensearch_ml.change_settings(session, {INTERVAL: 3})
        session.clean()
        assert session.request("GET", f"{SETTINGS}?flat_settings=true").member("persistent", INTERVAL) is None
        session.request("PUT", SETTINGS, {"transient": {INTERVAL: None}})

    def test_the_cluster_remembers_them_for_a_sweep(self, session: Session) -> None:
        opensearch_ml.change_settings(session, {AUTO_DEPLOY: True})
        opensearch_ml.change_settings(session, {AUTO_DEPLOY: None, INTERVAL: 3})
        session.tracker.take()  # what a killed run knew is lost
        removed, complaints = opensearch_ml.sweep(session, PREFIX)
        assert complaints == []
        assert removed == [f"ingest pipeline {session.options.prefix}settings"]
        assert opensearch_ml.read_settings(session).get(AUTO_DEPLOY) == "false"
        assert INTERVAL not in opensearch_ml.read_settings(session)

    def test_what_the_run_stands_on_stays_where_its_record_cannot_be_read_for_a_moment(
        self, talk_to: Any
    ) -> None:
        kept = f"/_ingest/pipeline/{PREFIX}test-settings"
        answers = {("GET", SETTINGS): (200, {"persistent": {}}), ("GET", kept): (429, {"error": "busy"})}
        session, target = talk_to({**answers, ("PUT", SETTINGS): (200, {}), ("PUT", kept): (429, {})})
        with pytest.raises(Untestable, match="kept of the settings could not be read"):
            opensearch_ml.change_settings(session, {AUTO_DEPLOY: True})
        assert not session.tracker.take()
        assert not [path for method, path, _ in target.sent if method == "PUT"]
        session.close()

    def test_a_record_of_other_settings_changes_nothing(self, session: Session) -> None:
        kept = json.dumps({"cluster.routing.allocation.enable": "none"})
        pipeline = {"description": kept, "processors": []}
        session.request("PUT", f"/_ingest/pipeline/{PREFIX}x-settings", pipeline)
        before = opensearch_ml.read_settings(session)
        assert opensearch_ml.sweep(session, PREFIX) == ([f"ingest pipeline {PREFIX}x-settings"], [])
        assert opensearch_ml.read_settings(session) == before

    def test_a_refused_change_is_untestable(self, session: Session) -> None:
        with pytest.raises(Untestable, match="could not be set"):
            opensearch_ml.change_settings(session, {INTERVAL: -5})

    def test_where_nothing_may_be_changed_nothing_is_sent(self, talk_to: Any) -> None:
        session, target = talk_to({}, may_change_settings=False)
        with pytest.raises(Untestable, match="--allow-settings"):
            opensearch_ml.change_settings(session, {INTERVAL: 3})
        assert target.sent == []

    def test_defaults_are_told_where_they_are_asked_for(self, session: Session) -> None:
        assert str(opensearch_ml.read_settings(session, defaults=True)[INTERVAL]) == "10"


class TestModels:
    MODEL = f"{ML}/models/m"
    GROUP = f"{ML}/model_groups/g"
    REFUSED: tuple[tuple[int, dict[str, Any]], ...] = ((400, {}),)

    def node(self, group_name: str) -> dict[tuple[str, str], Any]:
        """A node whose model is gone after it was read once, while its group stays."""
        reads = iter([(200, {"model_group_id": "g", "model_state": "REGISTERED"})])
        return {
            ("GET", self.MODEL): lambda: next(reads, (404, {})),
            ("GET", self.GROUP): (200, {"name": group_name}),
            ("DELETE", self.GROUP): (200, {}),
        }

    @pytest.mark.parametrize(
        ("group_name", "deletes"), [("mlconform-test-x", 1), ("mine", 0)], ids=["made by it", "of others"]
    )
    def test_the_group_that_outlives_its_model(self, talk_to: Any, group_name: str, deletes: int) -> None:
        session, target = talk_to(self.node(group_name))
        opensearch_ml.track(session, "model", "m")
        assert session.clean() == []
        assert [sent[:2] for sent in target.sent].count(("DELETE", self.GROUP)) == deletes

    def test_a_model_that_is_still_being_undeployed_is_not_deployed_again(self, talk_to: Any) -> None:
        deletes = iter([*self.REFUSED, *self.REFUSED, (200, {})])
        node = {
            ("GET", self.MODEL): (200, {"model_state": "DEPLOYED"}),
            ("DELETE", self.MODEL): lambda: next(deletes),
        }
        session, target = talk_to(node)
        opensearch_ml.track(session, "model", "m")
        assert session.clean() == []
        assert ("POST", f"{self.MODEL}/_deploy") not in [sent[:2] for sent in target.sent]

    def test_a_model_whose_deploy_failed_is_deployed_first(self, talk_to: Any) -> None:
        states = iter(["DEPLOY_FAILED", "DEPLOY_FAILED", "DEPLOYED"])
        deletes = iter([*self.REFUSED, *self.REFUSED, (200, {})])
        node = {
            ("GET", self.MODEL): lambda: (200, {"model_state": next(states)}),
            ("DELETE", self.MODEL): lambda: next(deletes),
        }
        session, target = talk_to(node)
        opensearch_ml.track(session, "model", "m")
        assert session.clean() == []
        posted = [path for method, path, _ in target.sent if method == "POST"]
        assert posted == [f"{self.MODEL}/_deploy", f"{self.MODEL}/_undeploy"]


class TestSweep:
    def left_behind(self, session: Session, name: str) -> str:
        """A pipeline and a deployed model of a run that died."""
        body = {"name": name, "function_name": "remote", "connector": {}, "description": "x"}
        connector = {
            "name": name,
            "version": 1,
            "protocol": "http",
            "credential": {"key": "x"},
            "actions": [{"action_type": "predict", "method": "POST", "url": "http://127.0.0.1:9/"}],
        }
        made = session.request("POST", f"{ML}/connectors/_create", connector)
        body["connector_id"] = made.member("connector_id")
        del body["connector"]
        model = str(session.request("POST", f"{ML}/models/_register", body).member("model_id"))
        session.request("POST", f"{ML}/models/{model}/_deploy")
        processor = {"ml_inference": {"model_id": model, "input_map": [{"a": "b"}]}}
        session.request("PUT", f"/_ingest/pipeline/{name}", {"processors": [processor]})
        return model

    @pytest.fixture
    def cluster(self, serve_mock: Any) -> Iterator[Session]:
        session = connect("opensearch-ml", TargetOptions(target=serve_mock().url))
        opensearch_ml.prepare(session)
        yield session
        session.clean()
        session.close()

    def test_removes_what_a_dead_run_left(self, cluster: Session) -> None:
        model = self.left_behind(cluster, "mlconform-dead-thing-1")
        removed, complaints = opensearch_ml.sweep(cluster, "mlconform-dead-")
        assert complaints == []
        kinds = [line.rpartition(" ")[0] for line in removed]
        assert kinds == ["ingest pipeline", "model", "connector"]
        assert cluster.request("GET", f"{ML}/models/{model}").status == 404

    def test_touches_nothing_of_other_people(self, cluster: Session) -> None:
        model = self.left_behind(cluster, "my-thing")
        removed, complaints = opensearch_ml.sweep(cluster, PREFIX)
        assert (removed, complaints) == ([], [])
        assert cluster.request("GET", f"{ML}/models/{model}").status == 200
        assert cluster.request("GET", "/_ingest/pipeline/my-thing").status == 200

    def test_says_what_it_could_not_look_for(self, talk_to: Any) -> None:
        session, _ = talk_to({("POST", f"{ML}/models/_search"): (403, {"error": "no"})})
        removed, complaints = opensearch_ml.sweep(session, PREFIX)
        assert removed == []
        assert complaints == ['models could not be searched: 403 {"error": "no"}']

    def test_says_that_pipelines_could_not_be_listed(self, talk_to: Any) -> None:
        session, _ = talk_to({("GET", "/_ingest/pipeline"): (403, {"error": "no"})})
        _, complaints = opensearch_ml.sweep(session, PREFIX)
        assert complaints == ['ingest pipelines could not be searched: 403 {"error": "no"}']

    def test_says_that_more_was_found_than_told(self, talk_to: Any) -> None:
        hits = {"hits": {"total": {"value": 5, "relation": "eq"}, "hits": []}}
        session, _ = talk_to({("POST", f"{ML}/agents/_search"): (200, hits)})
        _, complaints = opensearch_ml.sweep(session, PREFIX)
        assert complaints == ["agents could not be searched: 0 of 5 were found at once; sweep again"]


def test_a_group_that_is_remembered_outlives_a_model_of_it(session: Session) -> None:
    ml = MlCommons(session)
    group = ml.lasting_group()
    mark = session.tracker.mark()
    ml.model(model_group_id=group)
    session.clean(mark)
    assert ml.get_group(group).status == 200
    session.clean()
    assert ml.get_group(group).status == 404
