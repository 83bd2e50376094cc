"""A small profile with one page, its overlay and its folders; and the real pages where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlconform.conformance.contract import overlay_files
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.pages import Kind, Page, read_page

PAGE = """---
title: Start
---

# Start a thing
**Introduced 2.3**
{: .label }

Starts a thing. It needs the `thing_id`.

## Endpoints

```json
POST /things/<thing_id>/_start
```
{% include copy.html %}

## Request body fields

Field | Data type | Description
:--- | :--- | :---
`speed` | Integer | How fast it goes. Default is `3`.
`mode` | Object | How it goes.
`mode.unit` | String | The unit. Valid values are `A` and `B`.

#### Example request: Starting slowly

```json
POST /things/abc/_start
{ "speed": 4, "mode": { "unit": "A" } }
```

#### Example response

```json
{ "status": "STARTED", "at": 1685478486057 }
```
"""

OVERLAY: dict[str, Any] = {
    "profile": "things",
    "title": "Things",
    "versions": ["2.3"],
    "servers": ["http://127.0.0.1:1"],
    "recorded_versions": ["2.3.0"],
    "endpoint": {"id": "{area}.endpoint", "statement": "`{route}` is an operation."},
    "pages": [
        {
            "id": "start",
            "file": "start.md",
            "area": "things.start",
            "fields": {"id": "{area}.field.{name}", "statement": "It accepts `{name}` as {type}."},
        }
    ],
    "operations": [
        {
            "id": "start_thing",
            "route": "POST /things/{thing_id}/_start",
            "summary": "Start a thing",
            "level": "documented",
        }
    ],
    "requirements": [
        {
            "id": "things.start.answer",
            "level": "example",
            "statement": "The answer has a status.",
            "operation": "start_thing",
            "units": ["start/example-response"],
        }
    ],
    "exclusions": [
        {"kind": kind, "reason": "Promises nothing."}
        for kind in ("front-matter", "heading", "label", "liquid", "table-header")
    ],
    "contradictions": [],
}


@dataclass(frozen=True)
class Project:
    """Folders of pages, of overlays and generated files, and of suites; each starts with one small file."""

    docs: Path
    root: Path
    suites: Path

    def write_page(self, text: str) -> None:
        (self.docs / "start.md").write_text(text, encoding="utf-8")

    def write_overlay(self, **changes: Any) -> None:
        folder = self.root / "things"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "overlay.yaml").write_text(yaml.safe_dump(OVERLAY | changes), encoding="utf-8")

    def facts(self) -> Facts:
        written = overlay_files.load(self.root / "things" / "overlay.yaml")
        text = (self.docs / "start.md").read_text(encoding="utf-8")
        (version,) = written.versions
        return Facts(written, version, {"start": read_page("start", version, text)})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The small profile in a folder of its own."""
    made = Project(tmp_path / "docs", tmp_path / "schemas", tmp_path / "suites")
    for folder in (made.docs, made.root, made.suites):
        folder.mkdir()
    made.write_page(PAGE)
    made.write_overlay()
    return made


@pytest.fixture
def page() -> Callable[[str], Page]:
    """A page of any text, called `p`."""
    return lambda text: read_page("p", "1.0", text)


def keys(read: Page, kind: Kind) -> list[str]:
    """The keys of the units of one kind, in page order."""
    return [unit.key for unit in read.units if unit.kind is kind]


@pytest.fixture(scope="session")
def docs() -> Path:
    """The folder of the real pages, which are not in the repository."""
    beside = Path(__file__).parents[3] / "shared" / "docs"
    folder = Path(os.environ.get("MLCONFORM_DOCS", beside))
    if not folder.is_dir():
        pytest.skip(f"no documentation pages at {folder}; name their folder in MLCONFORM_DOCS")
    return folder
