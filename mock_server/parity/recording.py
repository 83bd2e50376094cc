"""Recordings: JSON lines, a header and then one exchange a line, as `tests/observed` holds them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from mlconform.mock_server.core import Request
from mlconform.mock_server.parity.served import Served

# What steps of scenarios run, with what a mock does instead; it has as many nodes as the recorded cluster.
STOP, START = "stop", "start"
RUNS: Mapping[str, str] = {"restart": "restart", STOP: "nodes", START: "nodes"}


class RecordingError(Exception):
    """A file that is no recording; the message names the file, the line and what is wrong with it."""


class Exchange(Struct, frozen=True):
    """One recorded request with its answer; `at` is in seconds since the scenario began.

    `answer` is the decoded body where it was JSON, else its text. `user` is who sent it, where that was told,
    and `phase` what had been changed on the node by then.
    """

    number: int
    at: float
    request: Request
    status: int
    content_type: str | None
    answer: Any
    user: str | None = None
    phase: str | None = None


class Run(Struct, frozen=True):
    """All nodes were restarted, or the last one stopped or started, `at` seconds since the scenario began."""

    what: str
    at: float


class Recording(Struct, frozen=True):
    """One scenario of one version, such as `2.19.0`.

    `settings` were set beside those that every recording begins with, `serves` are the files that the node
    could fetch, by their name at the end of an address, `ml_nodes` how many nodes were for machine learning;
    `fresh` says that ML Commons had kept nothing yet. What chance made `came` in so many of `tries`.
    """

    scenario: str
    version: str
    steps: tuple[Exchange | Run, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    serves: Mapping[str, Served] = field(default_factory=dict)
    ml_nodes: int | None = None
    fresh: bool = False
    tries: int = 0
    came: int = 0

    @property
    def is_secured(self) -> bool:
        """Whether the recorded cluster had users."""
        return any(exchange.user is not None for exchange in self.exchanges)

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The requests with their answers, without restarts."""
        return tuple(step for step in self.steps if isinstance(step, Exchange))


def read_recording(path: Path) -> Recording:
    """Read a recording. Raises RecordingError for a file that is none."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        header, *exchanges = lines
        serves = {name: Served.of_header(values) for name, values in header.get("serves", {}).items()}
        return Recording(
            header["scenario"],
            header["target"]["number"],
            tuple(_step(line) for line in exchanges),
            header.get("settings", {}),
            serves,
            header.get("ml_nodes"),
            header.get("fresh", False),
            header.get("tries", 0),
            header.get("came", 0),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RecordingError(
            f"{path} is no recording: expected a header line and one exchange a line, "
            f"got {type(error).__name__}: {error}"
        ) from None


def _step(line: dict[str, Any]) -> Exchange | Run:
    if "run" not in line:
        return _exchange(line)
    if line["run"] not in RUNS:
        raise ValueError(f"expected run to be one of {', '.join(RUNS)}, got {line['run']!r}")
    return Run(line["run"], line["t"])


def _exchange(line: dict[str, Any]) -> Exchange:
    path, _, query = line["path"].partition("?")
    if "raw" in line:
        body = line["raw"].encode()
    elif "base64" in line:
        body = base64.b64decode(line["base64"])
    elif "body" in line:
        # As the recorder sent it: the columns that a parser tells count its spaces.
        body = json.dumps(line["body"]).encode()
    else:
        body = b""
    headers = {"content-type": line.get("request_content_type", "application/json")} if body else {}
    return Exchange(
        number=line["i"],
        at=line["t"],
        request=Request(line["method"], path, query, headers, body, node=line.get("node", 1)),
        status=line["status"],
        content_type=line.get("content_type"),
        answer=line["response"],
        user=line.get("user"),
        phase=line.get("phase"),
    )
