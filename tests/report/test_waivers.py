"""A file of waivers is read as it is meant, or refused with the place and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlconform.conformance.report.events import Waiver
from mlconform.conformance.report.waivers import WaiverError, load


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reads_all_members(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "- requirement: osml.deploy.answer\n  reason: agreed\n  until: 2025-12-31\n  check: a.py::b\n"
        "  signature: 'GET /x: 500'\n"
        "- {requirement: osml.delete.gone, reason: 'a second'}\n",
    )
    assert load(path) == (
        Waiver("osml.deploy.answer", "agreed", "2025-12-31", "a.py::b", "waivers.yaml", "GET /x: 500"),
        Waiver("osml.delete.gone", "a second", origin="waivers.yaml"),
    )


def test_a_quoted_date_is_a_date_too(tmp_path: Path) -> None:
    path = write(tmp_path, "- {requirement: a.b, reason: c, until: '2025-12-31'}")
    assert load(path)[0].until == "2025-12-31"


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "[]"])
def test_an_empty_file_waives_nothing(tmp_path: Path, text: str) -> None:
    assert load(write(tmp_path, text)) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "expected YAML"),
        ("requirement: a.b", r"expected a list of \{requirement, reason, .* came a dict"),
        ("- a.b", "entry 1: expected an item of"),
        ("- {reason: c}", "entry 1: expected requirement as a text that is not empty, came None"),
        ("- {requirement: a.b}", "entry 1: expected reason as a text"),
        ("- {requirement: a.b, reason: ' '}", "entry 1: expected reason as a text"),
        ("- {requirement: a.b, reason: 5}", "entry 1: expected reason as a text"),
        ("- {requirement: a.b, reason: c, check: }", "entry 1: expected check as a text"),
        ("- {requirement: a.b, reason: c, until: soon}", "entry 1: expected until as a date"),
        ("- {requirement: a.b, reason: c, until: 2025-12-31 10:00:00}", "a date without a time"),
        ("- {requirement: a.b, reason: c, untill: 2025-12-31}", r"came also \['untill'\]"),
        ("- {requirement: a.b, reason: c}\n- {requirement: a.b, reason: d}", "a.b is waived more than once"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WaiverError, match=message):
        load(write(tmp_path, text))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "waivers.yaml"
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(WaiverError, match="expected YAML"):
        load(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match="can't be read"):
        load(tmp_path / "waivers.yaml")
