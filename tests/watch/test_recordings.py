"""What answers owe each other holds of every answer that a real node gave, but for what is listed here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from mlconform.conformance.contract import store
from mlconform.conformance.targets.exchange import Answer, Exchange, OutgoingRequest
from mlconform.conformance.targets.session import Facts
from mlconform.conformance.watch.watch import Watch
from mlconform.mock_server.parity.recording import read_recording

OBSERVED: Final = Path(__file__).parents[1] / "observed"
# What a recording shows otherwise, by what was expected.
KNOWN: Final = {
    # A read that asks for some members (parameters), and a group in whose place another was made.
    "`name` of model_groups as it was sent",
    "`description` of model_groups as it was sent",
    # Of two members of the same name the last one counts (wire_errors).
    "`description` of models as it was sent",
    # A deviation of 2.19.0 (registered_disabled, local_members).
    "`is_enabled` of models as it was sent",
    # What is made under an id that was deleted counts anew after a while (model_group_crud).
    "a `_version` one greater than before",
}


@pytest.mark.parametrize(
    ("folder", "documentation"),
    [("opensearch-2.19.0", "2.19"), ("opensearch-3.4.0", "3.4"), ("opensearch-3.4.0-three-nodes", "3.4")],
)
def test_the_relations_hold_of_recorded_answers(folder: str, documentation: str) -> None:
    recordings = sorted((OBSERVED / folder).glob("*.jsonl"))
    assert recordings
    found = {told for path in recordings for told in _differences(path, documentation)}
    assert found - KNOWN == set()


def _differences(path: Path, documentation: str) -> Iterator[str]:
    """What the watch expected of the relations in one recording and did not find."""
    recording = read_recording(path)
    header = json.loads(path.read_text(encoding="utf-8").partition("\n")[0])
    recorded = datetime.fromisoformat(header["recorded"]).timestamp()
    facts = Facts("opensearch-ml", "opensearch", recording.version, ())
    watch = Watch(store.load("opensearch-ml", documentation), facts, lambda _: True, lambda: recorded)
    for each in recording.exchanges:
        asked = each.request
        sent = OutgoingRequest(asked.method, f"{asked.path}?{asked.query}", {}, asked.body or None)
        body = json.dumps(each.answer).encode()
        answer = Answer(each.status, {"content-type": each.content_type or "application/json"}, body)
        watch.saw(Exchange(sent, answer, each.at, "http://h", "osml.wire.json"), racing=False)
    for found in watch.take().differences:
        if found.requirement.startswith("osml.relation."):
            yield found.expected
