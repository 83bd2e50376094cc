"""What requests at the same moment on one thing may be answered, and that every such answer comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import Request

ML = "/_plugins/_ml"
SEEDS = range(40)


def _request(method: str, path: str, body: Any = None) -> Request:
    if body is None:
        return Request(method, path)
    return Request(method, path, "", {"content-type": "application/json"}, json.dumps(body).encode())


def _told(response: Any) -> str:
    body = json.loads(response.body)
    error = body.get("error", {})
    caused = error.get("caused_by", {}).get("type")
    words = [str(response.status), body.get("result"), error.get("type"), caused]
    return " ".join(word for word in words if word is not None)


class Race:
    """A model in a group, a second group, a controller, and requests that meet on them."""

    def __init__(self, ml: Any) -> None:
        self.ml = ml
        self.group, self.other = (
            ml.post("~/model_groups/_register", {"name": name}).body["model_group_id"] for name in "gh"
        )
        self.connector = ml.connector()
        self.model = ml.post("~/models/_register", self.version(self.group)).body["model_id"]
        self.limits = {"user_rate_limiter": {"u": {"limit": "1", "unit": "DAYS"}}}

    def version(self, group: str) -> dict[str, str]:
        return {
            "name": "m",
            "function_name": "remote",
            "connector_id": self.connector,
            "model_group_id": group,
        }

    def request(self, name: str) -> Request:
        model, group = f"{ML}/models/{self.model}", f"{ML}/model_groups/{self.other}"
        return {
            "delete": _request("DELETE", model),
            "deploy": _request("POST", f"{model}/_deploy"),
            "undeploy": _request("POST", f"{model}/_undeploy"),
            "update": _request("PUT", model, {"description": "raced"}),
            "move": _request("PUT", model, {"model_group_id": self.other}),
            "predict": _request("POST", f"{model}/_predict", {"parameters": {"q": "x"}}),
            "register": _request("POST", f"{ML}/models/_register", self.version(self.other)),
            "name": _request("POST", f"{ML}/model_groups/_register", {"name": "new"}),
            "update group": _request("PUT", group, {"description": "raced"}),
            "delete group": _request("DELETE", group),
            "limit": _request("POST", f"{ML}/controllers/{self.model}", self.limits),
            "change limit": _request("PUT", f"{ML}/controllers/{self.model}", self.limits),
            "unlimit": _request("DELETE", f"{ML}/controllers/{self.model}"),
        }[name]

    def run(self, *names: str, seed: int) -> tuple[str, ...]:
        requests = [self.request(name) for name in names]
        return tuple(_told(answer) for answer in self.ml.server.handle_at_once(requests, seed=seed))


@pytest.mark.parametrize(
    ("names", "endings"),
    [
        pytest.param(
            ("delete", "delete"),
            {
                ("200 deleted", "404 status_exception"),
                ("404 status_exception", "200 deleted"),
                ("200 deleted", "200 not_found"),
                ("200 not_found", "200 deleted"),
            },
            id="two deletes",
        ),
        pytest.param(
            ("update", "delete"),
            {
                ("200 updated", "200 deleted"),
                ("404 status_exception", "200 deleted"),
                ("404 status_exception document_missing_exception", "200 deleted"),
            },
            id="update and delete",
        ),
        pytest.param(
            ("deploy", "delete"),
            {
                ("200", "200 deleted"),
                ("200", "400 status_exception"),
                ("404 status_exception", "200 deleted"),
                ("404 status_exception document_missing_exception", "200 deleted"),
            },
            id="deploy and delete",
        ),
        pytest.param(
            ("deploy", "update"),
            {
                ("200", "200 updated"),
                ("200", "409 status_exception"),
                ("200", "409 status_exception version_conflict_engine_exception"),
            },
            id="deploy and update",
        ),
        pytest.param(
            ("update", "update"),
            {
                ("200 updated", "200 updated"),
                ("200 updated", "409 status_exception version_conflict_engine_exception"),
                ("409 status_exception version_conflict_engine_exception", "200 updated"),
            },
            id="the last update wins, unless the other one comes inside of it",
        ),
        pytest.param(
            ("register", "register"),
            {
                ("200", "200"),
                ("200", "409 status_exception version_conflict_engine_exception"),
                ("409 status_exception version_conflict_engine_exception", "200"),
            },
            id="two versions of a group",
        ),
        pytest.param(
            ("move", "register"),
            {
                ("200 updated", "200"),
                ("200 updated", "409 status_exception version_conflict_engine_exception"),
                ("409 status_exception version_conflict_engine_exception", "200"),
            },
            id="a version moves in while another is made",
        ),
        pytest.param(
            ("register", "delete group"),
            {
                ("200", "409 status_exception"),
                ("200", "200 deleted"),
                ("404 status_exception document_missing_exception", "200 deleted"),
                ("404 m_l_resource_not_found_exception", "200 deleted"),
            },
            id="a version is made in a group that goes",
        ),
        pytest.param(
            ("name", "name"),
            {
                ("200", "200"),
                ("200", "400 illegal_argument_exception"),
                ("400 illegal_argument_exception", "200"),
            },
            id="one name for two groups",
        ),
        pytest.param(
            ("update group", "delete group"),
            {
                ("200", "200 deleted"),
                ("404 status_exception", "200 deleted"),
                ("404 status_exception document_missing_exception", "200 deleted"),
            },
            id="update and delete of a group",
        ),
        pytest.param(
            ("limit", "delete"), {("200", "200 deleted"), ("404 status_exception", "200 deleted")}, id="limit"
        ),
        pytest.param(
            ("predict", "delete"),
            {
                ("200", "200 deleted"),
                ("404 status_exception", "200 deleted"),
                ("200", "400 status_exception"),
            },
            id="predict and delete",
        ),
    ],
)
def test_every_ending_of_a_race_is_reached(
    make_client: Callable[..., Any], names: tuple[str, str], endings: set[tuple[str, ...]]
) -> None:
    assert {Race(make_client()).run(*names, seed=seed) for seed in SEEDS} == endings


def test_two_versions_of_a_group_have_two_numbers(make_client: Callable[..., Any]) -> None:
    for seed in SEEDS:
        race = Race(make_client())
        endings = race.run("register", "register", seed=seed)
        answered = race.ml.get(f"~/model_groups/{race.other}").body["latest_version"]
        assert answered == endings.count("200")


def test_the_task_of_a_version_that_lost_tells_why(make_client: Callable[..., Any]) -> None:
    for seed in SEEDS:
        race = Race(make_client())
        if race.run("register", "register", seed=seed) == ("200", "200"):
            continue
        found = race.ml.post("~/tasks/_search", {"query": {"term": {"state": "FAILED"}}}).body
        (hit,) = found["hits"]["hits"]
        assert "version conflict, required seqNo" in hit["_source"]["error"]
        return
    pytest.fail("no registration lost")


def test_the_root_cause_of_a_conflict_is_what_the_index_said(make_client: Callable[..., Any]) -> None:
    for seed in SEEDS:
        race = Race(make_client())
        requests = [race.request("register")] * 2
        for answer in race.ml.server.handle_at_once(requests, seed=seed):
            if answer.status == 409:
                error = json.loads(answer.body)["error"]
                assert error["root_cause"] == [error["caused_by"]]
                assert error["reason"] == (
                    f"Document version conflict updating {race.other} in index .plugins-ml-model-group"
                )
                assert list(error["caused_by"]) == ["type", "reason", "index", "shard", "index_uuid"]
                return
    pytest.fail("no registration lost")


@pytest.mark.parametrize(("behaviour", "status"), [("documented", 404), ("opensearch-3.4", 500)])
def test_an_update_whose_model_goes_meanwhile_tells_the_index(
    make_client: Callable[..., Any], behaviour: str, status: int
) -> None:
    told = f"{status} status_exception document_missing_exception"
    assert any(
        Race(make_client(behaviour=behaviour)).run("update", "delete", seed=seed)[0] == told for seed in SEEDS
    )


def test_a_deleted_model_stays_deleted_whatever_comes_with_it(
    make_client: Callable[..., Any],
) -> None:
    names = ("delete", "deploy", "undeploy", "update", "predict", "limit", "unlimit", "delete")
    for seed in SEEDS:
        race = Race(make_client())
        endings = race.run(*names, seed=seed)
        race.ml.time.now += 100
        there = race.ml.get(f"~/models/{race.model}").status == 200
        assert there == ("200 deleted" not in (endings[0], endings[-1]))
        assert all(int(ending[:3]) < 500 for ending in endings)


@pytest.mark.parametrize(
    ("mutant", "names"),
    [("second-delete-says-deleted", ("delete",) * 2), ("group-counts-version-twice", ("register",) * 2)],
)
def test_a_fault_of_races_is_none_for_requests_one_after_the_other(
    make_client: Callable[..., Any], mutant: str, names: tuple[str, ...]
) -> None:
    def endings(**options: Any) -> list[str]:
        race = Race(make_client(**options))
        return [_told(race.ml.server.handle(race.request(name))) for name in names]

    assert endings(mutant=mutant) == endings()


def test_a_model_that_is_deployed_twice_at_once_may_end_as_failed_on_a_recorded_version(
    make_client: Any,
) -> None:
    states = {"documented": set[str](), "opensearch-3.4": set[str]()}
    for behaviour, seen in states.items():
        for seed in SEEDS:
            race = Race(make_client(behaviour=behaviour, seed=seed))
            race.run("deploy", "deploy", seed=seed)
            race.ml.time.now += 1
            seen.add(race.ml.state(race.model))
    assert states == {"documented": {"DEPLOYED"}, "opensearch-3.4": {"DEPLOYED", "DEPLOY_FAILED"}}
