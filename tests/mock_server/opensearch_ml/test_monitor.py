"""What the nodes did, counted."""

from __future__ import annotations

from mlconform.mock_server.opensearch_ml.monitor import Monitor
from mlconform.mock_server.opensearch_ml.store import Model, ModelState


def model(name: str) -> Model:
    return Model(id=name, name=name, algorithm="REMOTE", version="1", state=ModelState.DEPLOYED)


def test_only_the_models_used_last_are_remembered() -> None:
    monitor = Monitor("n")
    monitor.count(model("early"), "deploy")
    for number in range(999):
        monitor.count(model(f"m{number}"), "deploy")
    monitor.count(model("early"), "predict")
    monitor.count(model("late"), "deploy")
    counted = monitor.sections("n")["models"]
    assert len(counted) == 1000
    assert "m0" not in counted
    assert set(counted["early"]) == {"deploy", "predict"}


def test_the_counts_of_an_algorithm_stay() -> None:
    monitor = Monitor("n")
    for number in range(1500):
        monitor.count(model(f"m{number}"), "deploy")
    assert monitor.requests("n") == 1500
