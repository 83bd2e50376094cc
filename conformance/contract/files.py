"""The generated files: how a contract is written as YAML and read back.

They are YAML in its flow style, which is JSON below the first line, a notice: a parser of JSON reads them
in a fiftieth of the time, and every command and every worker of a run begins by reading them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from mlconform.conformance.contract.errors import ContractError
from mlconform.conformance.contract.model import (
    Condition,
    Contract,
    Contradiction,
    Deviation,
    Impact,
    Level,
    PageRecord,
    Remedy,
    Requirement,
    Source,
    UnitRecord,
)

OPENAPI = "openapi.yaml"
REQUIREMENTS = "requirements.yaml"
RECORDED = "recorded.json"
_NOTICE = (
    "# Made by `mlconform contract build` from the documentation pages and the overlay; edits are lost.\n"
)
_WIDTH = 110
# What JSON allows within a text and YAML does not, or takes for the end of a line.
_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}
# libyaml reads ten times as fast.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def dump(value: Any) -> bytes:
    """The value as YAML with the notice that it is generated; the same bytes for the same value."""
    return f"{_NOTICE}{_flow(value, 0)}\n".encode()


def _flow(value: Any, depth: int) -> str:
    """A mapping or list on one line where it fits, else each entry on lines of its own."""
    line = json.dumps(value, ensure_ascii=False).translate(_ESCAPES)
    if not value or not isinstance(value, dict | list) or depth + len(line) < _WIDTH:
        return line
    if isinstance(value, dict):
        entries = [f"{_flow(name, 0)}: {_flow(entry, depth + 1)}" for name, entry in value.items()]
    else:
        entries = [_flow(entry, depth + 1) for entry in value]
    begin, end = "{}" if isinstance(value, dict) else "[]"
    between = "\n" + " " * (depth + 1)
    return f"{begin}{between}{f',{between}'.join(entries)}\n{' ' * depth}{end}"


def parse(data: bytes, name: str) -> Any:
    """The value of a generated file. Raises ContractError where it is no YAML mapping."""
    try:
        value = _read(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise ContractError(f"{name} can't be read: {why}; run `mlconform contract build`") from None
    if not isinstance(value, dict):
        raise ContractError(
            f"{name}: expected a mapping, found {type(value).__name__}; run `mlconform contract build`"
        )
    return value


def _read(data: bytes) -> Any:
    """As JSON where we wrote it, else as any YAML: contracts of other packages may be older than ours."""
    notice, _, rest = data.partition(b"\n")
    if notice.startswith(b"#"):
        try:
            return json.loads(rest)
        except ValueError:
            pass
    return yaml.load(data, Loader=_LOADER)


def source_value(source: Source) -> dict[str, Any]:
    """A source as written: only what is set."""
    values = {
        "page": source.page,
        "lines": list(source.lines) if source.lines else None,
        "sha256": source.sha256,
        "recording": f"{source.recording}#{source.exchange}" if source.recording else None,
        "version": source.version,
        "reference": source.reference,
    }
    return {name: value for name, value in values.items() if value is not None}


def read_source(values: Mapping[str, Any]) -> Source:
    """The reverse of `source_value`."""
    lines = values.get("lines")
    scenario, _, exchange = values.get("recording", "").partition("#")
    return Source(
        page=values.get("page"),
        lines=(lines[0], lines[1]) if lines else None,
        sha256=values.get("sha256"),
        version=values.get("version"),
        recording=scenario or None,
        exchange=int(exchange) if exchange else None,
        reference=values.get("reference"),
    )


def requirements_value(contract: Contract) -> dict[str, Any]:
    """What `requirements.yaml` holds: requirements, contradictions, and every unit of the pages."""
    units = contract.units
    return {
        "profile": contract.profile,
        "version": contract.version,
        "pages": [_page_value(page) for page in contract.pages],
        "requirements": [requirement_value(entry) for entry in contract.requirements.values()],
        "contradictions": [
            {
                "id": entry.id,
                "finding": entry.finding,
                "settled": entry.settled,
                "sources": [source_value(source) for source in entry.sources],
            }
            for entry in contract.contradictions
        ],
        "deviations": [_deviation_value(entry) for entry in contract.deviations],
        "required_units": [
            _unit_value(unit) | {"requirements": list(unit.requirements)}
            for unit in units
            if unit.requirements
        ],
        "excluded_units": [_unit_value(unit) | {"reason": unit.excluded} for unit in units if unit.excluded],
        "unaccounted_units": [
            _unit_value(unit) for unit in units if not unit.requirements and unit.excluded is None
        ],
    }


def _page_value(page: PageRecord) -> dict[str, Any]:
    values = {
        "id": page.id,
        "file": page.file,
        "own": page.own,
        "published": page.published,
        "repository": page.repository,
        "anchors": {str(line): name for line, name in page.anchors} or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def requirement_value(requirement: Requirement) -> dict[str, Any]:
    """A requirement as written: only what is set."""
    values = {
        "id": requirement.id,
        "level": str(requirement.level),
        "statement": requirement.statement,
        "operation": requirement.operation,
        "since": requirement.since,
        "until": requirement.until,
        "recorded": list(requirement.recorded) or None,
        "sources": [source_value(source) for source in requirement.sources],
        "checks": list(requirement.checks) or None,
        "unchecked": requirement.unchecked,
        "remedy": requirement.remedy and str(requirement.remedy),
        "impact": str(requirement.impact),
        "when": requirement.when and str(requirement.when),
    }
    return {name: value for name, value in values.items() if value is not None}


def _deviation_value(deviation: Deviation) -> dict[str, Any]:
    values = {
        "requirement": deviation.requirement,
        "version": deviation.version,
        "finding": deviation.finding,
        "sources": [source_value(source) for source in deviation.sources],
        "answers": list(deviation.answers) or None,
        "signature": deviation.signature,
        "chance": deviation.chance or None,
    }
    return {name: value for name, value in values.items() if value is not None}


def waivers_value(deviations: Iterable[Deviation]) -> list[dict[str, str | bool]]:
    """The known set of a recorded version: a waiver for each finding, or for each requirement whose
    findings have no signature."""
    findings: dict[tuple[str, str], list[Deviation]] = {}
    for deviation in deviations:
        findings.setdefault((deviation.requirement, deviation.signature or ""), []).append(deviation)
    return [
        {
            "requirement": name,
            **({"signature": signature} if signature else {}),
            "reason": " ".join(each.finding for each in found),
            **({"chance": True} if all(each.chance for each in found) else {}),
        }
        for (name, signature), found in sorted(findings.items())
    ]


def _unit_value(unit: UnitRecord) -> dict[str, Any]:
    """A unit as written: its key begins with page and kind, its version is that of the file."""
    return {"unit": unit.key, "lines": list(unit.source.lines or ()), "sha256": unit.source.sha256}


def read_requirements(values: Mapping[str, Any]) -> dict[str, Requirement]:
    """The requirements of a `requirements.yaml`, by id."""
    return {
        entry["id"]: Requirement(
            id=entry["id"],
            profile=values["profile"],
            level=Level(entry["level"]),
            statement=entry["statement"],
            sources=tuple(read_source(source) for source in entry["sources"]),
            operation=entry.get("operation"),
            since=entry.get("since"),
            until=entry.get("until"),
            recorded=tuple(entry.get("recorded", ())),
            checks=tuple(entry.get("checks", ())),
            unchecked=entry.get("unchecked"),
            remedy=Remedy(entry["remedy"]) if "remedy" in entry else None,
            impact=Impact(entry.get("impact", Impact.ANSWER)),
            when=Condition(entry["when"]) if "when" in entry else None,
        )
        for entry in values["requirements"]
    }


def read_units(values: Mapping[str, Any]) -> tuple[UnitRecord, ...]:
    """The units of a `requirements.yaml` in page order, accounted for or not."""
    records = []
    for section in ("required_units", "excluded_units", "unaccounted_units"):
        for entry in values[section]:
            page, kind, *_ = entry["unit"].split("/")
            begin, end = entry["lines"]
            records.append(
                UnitRecord(
                    key=entry["unit"],
                    kind=kind,
                    source=Source(
                        page=page, lines=(begin, end), sha256=entry["sha256"], version=values["version"]
                    ),
                    requirements=tuple(entry.get("requirements", ())),
                    excluded=entry.get("reason"),
                )
            )
    return tuple(
        sorted(records, key=lambda record: (record.source.page or "", record.source.lines or (0, 0)))
    )


def read_deviations(values: Mapping[str, Any]) -> tuple[Deviation, ...]:
    """The deviations of a `requirements.yaml`."""
    return tuple(
        Deviation(
            requirement=entry["requirement"],
            version=entry["version"],
            finding=entry["finding"],
            sources=tuple(read_source(source) for source in entry["sources"]),
            answers=tuple(entry.get("answers", ())),
            signature=entry.get("signature"),
            chance=entry.get("chance", False),
        )
        for entry in values["deviations"]
    )


def read_pages(values: Mapping[str, Any]) -> tuple[PageRecord, ...]:
    """The pages of a `requirements.yaml`."""
    return tuple(
        PageRecord(
            id=entry["id"],
            file=entry["file"],
            own=entry["own"],
            published=entry.get("published"),
            repository=entry.get("repository"),
            anchors=tuple((int(line), name) for line, name in entry.get("anchors", {}).items()),
        )
        for entry in values["pages"]
    )


def read_contradictions(values: Mapping[str, Any]) -> tuple[Contradiction, ...]:
    """The contradictions of a `requirements.yaml`."""
    return tuple(
        Contradiction(
            id=entry["id"],
            finding=entry["finding"],
            settled=entry["settled"],
            sources=tuple(read_source(source) for source in entry["sources"]),
        )
        for entry in values["contradictions"]
    )
