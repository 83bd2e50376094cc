"""Recordings: JSON lines, a header and then one exchange a line, as `tests/observed` holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mock_server.core import Request


class RecordingError(Exception):
    """A file that is no recording; the message names the file, the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request with its answer; `at` is in seconds since the scenario began.

    `answer` is the decoded body where it was JSON, else its text.
    """

    number: int
    at: float
    request: Request
    status: int
    content_type: str | None
    answer: Any


@dataclass(frozen=True, slots=True)
class Recording:
    """One scenario of one version, such as `2.19.0`."""

    scenario: str
    version: str
    exchanges: tuple[Exchange, ...]


def read_recording(path: Path) -> Recording:
    """Read a recording. Raises RecordingError for a file that is none."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        header, *exchanges = lines
        return Recording(
            header["scenario"], header["target"]["number"], tuple(_exchange(line) for line in exchanges)
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise RecordingError(
            f"{path} is no recording: expected a header line and one exchange a line, "
            f"got {type(error).__name__}: {error}"
        ) from None


def _exchange(line: dict[str, Any]) -> Exchange:
    path, _, query = line["path"].partition("?")
    if "raw" in line:
        body = line["raw"].encode()
    elif "body" in line:
        # As the recorder sent it: the columns that a parser tells count its spaces.
        body = json.dumps(line["body"]).encode()
    else:
        body = b""
    headers = {"content-type": line.get("request_content_type", "application/json")} if body else {}
    return Exchange(
        number=line["i"],
        at=line["t"],
        request=Request(line["method"], path, query, headers, body),
        status=line["status"],
        content_type=line.get("content_type"),
        answer=line["response"],
    )
