"""Rules that find where a page contradicts itself, its own tables or the form of its examples."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mlconform.conformance.contract import fragment
from mlconform.conformance.contract.examples import read_example
from mlconform.conformance.contract.facts import Facts
from mlconform.conformance.contract.fields import Place, vague_since
from mlconform.conformance.contract.operations import Shown
from mlconform.conformance.contract.pages import Kind, Page, Unit, fold, setting_names, slug
from mlconform.conformance.contract.routes import Route, operation_of
from mlconform.conformance.contract.schemas import accepts, of_type


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found: where, and in one sentence what does not fit."""

    id: str
    text: str
    units: tuple[Unit, ...]


Rule = Callable[[Page, Facts], Iterator[Finding]]


def _field_types(page: Page, facts: Facts) -> Iterator[Finding]:
    for field in facts.fields.get(facts.operation_of_page(page.id) or "", ()):
        if field.unit.page == page.id and of_type(field.type) is None:
            yield Finding(
                f"{page.id}/unknown-type/{field.name}",
                f"The table gives {field.name} the data type {field.type!r}, which is no type.",
                (field.unit,),
            )


def _example_members(page: Page, facts: Facts) -> Iterator[Finding]:
    """Members of a request's example against the table of its operation: type, listed values, presence."""
    for entry in _requests(page, facts):
        fields = {field.name: field for field in facts.fields_at(entry.operation or "", Place.REQUEST)}
        for name, value in _flattened(entry.example.body) if fields else ():
            field = fields.get(name)
            if field is None:
                inside = (f"{name}.", f"{name}[]")
                if "." not in name and not any(listed.startswith(inside) for listed in fields):
                    yield Finding(
                        f"{page.id}/unlisted-member/{name}",
                        f"The example sends {name}, which no table of {entry.operation} lists.",
                        (entry.unit,),
                    )
                continue
            schema = of_type(field.type)
            if schema is not None and not accepts(schema, value):
                yield Finding(
                    f"{page.id}/example-type/{name}",
                    f"The table types {name} as {field.type}, the example sends {value!r}.",
                    (field.unit, entry.unit),
                )
            if field.values and value not in field.values and not _is_placeholder(value):
                yield Finding(
                    f"{page.id}/example-value/{name}",
                    f"The example sends {value!r} for {name}, which is not among the listed values.",
                    (field.unit, entry.unit),
                )


def _requests(page: Page, facts: Facts) -> Iterator[Shown]:
    """The examples that have a request line, without which it is open what they are."""
    for entry in facts.shown:
        is_request = entry.status is None and entry.example.method is not None
        if entry.unit.page == page.id and is_request and isinstance(entry.example.body, dict):
            yield entry


def _is_placeholder(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"<[^<>]+>", value) is not None


def _flattened(body: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in body.items():
        yield prefix + name, value
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")


def _request_lines(page: Page, facts: Facts) -> Iterator[Finding]:
    listed = [endpoint.route for endpoint in facts.endpoints]
    for entry in facts.shown:
        if entry.unit.page != page.id or entry.status is not None:
            continue
        name = entry.unit.key.removeprefix(f"{page.id}/")
        method, path = entry.example.method, entry.example.path
        if method is None or path is None:
            yield Finding(
                f"{page.id}/no-request-line/{name}",
                "The example of a request has a body and no request line.",
                (entry.unit,),
            )
            continue
        if not path.startswith("/"):
            yield Finding(
                f"{page.id}/relative-path/{name}",
                f"The request line gives the path {path!r} without its first slash.",
                (entry.unit,),
            )
        route = Route.parse(f"{method} {path}")
        if entry.unit.kind is not Kind.SETTINGS and not any(known.matches(route) for known in listed):
            known = operation_of(route, facts.routes) or "no operation"
            yield Finding(
                f"{page.id}/unlisted-endpoint/{name}",
                f"The example calls {known}, which no page lists under its endpoints.",
                (entry.unit,),
            )


def _settings(page: Page, _facts: Facts) -> Iterator[Finding]:
    """Settings in code spans of the prose that are cut off or misspelled, and flags sent as strings."""
    names: dict[str, Unit] = {}
    for unit in page.units:
        if unit.kind is Kind.SETTINGS:
            names |= dict.fromkeys(setting_names(read_example(unit.text).body), unit)
    for name, unit in names.items():
        body = read_example(unit.text).body
        value = next(scope[name] for scope in body.values() if isinstance(scope, dict) and name in scope)
        if value in ("true", "false"):
            yield Finding(
                f"{page.id}/flag-as-string/{name}",
                f"The example sends the flag {name} as the string {value!r}.",
                (unit,),
            )
        for sentence in page.units:
            if sentence.kind is not Kind.STATEMENT:
                continue
            for span in re.findall(r"`([\w.]+)`", sentence.text):
                if _cut_off(span, name):
                    yield Finding(
                        f"{page.id}/setting-name/{span}",
                        f"The prose writes {span!r} where the setting's name is {name}.",
                        (sentence, unit),
                    )


def _cut_off(span: str, name: str) -> bool:
    """Whether the span is a piece of the setting's last part, whole words missing or letters swapped."""
    last = name.rsplit(".", 1)[-1]
    if span in (name, last) or "_" not in span:
        return False
    return last.startswith(span) or (span[:2] == last[:2] and _close(span, last[: len(span) + 1]))


def _close(one: str, other: str) -> bool:
    """Whether one word becomes the other by leaving out one letter."""
    return any(other[:i] + other[i + 1 :] == one for i in range(len(other)))


def _headings(page: Page, _facts: Facts) -> Iterator[Finding]:
    by_title: dict[str, list[Unit]] = defaultdict(list)
    titles = [unit for unit in page.units if unit.kind is Kind.HEADING]
    for unit in titles:
        by_title[slug(unit.heading)].append(unit)
    for title, units in by_title.items():
        if len(units) > 1:
            yield Finding(
                f"{page.id}/same-heading/{title}",
                f"{len(units)} sections are headed {units[0].heading!r}, so a link reaches only the first.",
                tuple(units),
            )
    tops = [unit for unit in titles if unit.level == 1 and not unit.text.lstrip().startswith(">")]
    for unit in tops[1:]:
        yield Finding(
            f"{page.id}/second-title/{slug(unit.heading)}",
            "A section stands at the level of the page's title.",
            (tops[0], unit),
        )


def _row_widths(page: Page, _facts: Facts) -> Iterator[Finding]:
    header: Unit | None = None
    for unit in page.units:
        if unit.kind is Kind.TABLE_HEADER:
            header = unit
        elif header is not None and unit.columns:
            came, expected = _pipes(unit.text), _pipes(header.text.split("\n")[0])
            if came > expected:
                yield Finding(
                    f"{page.id}/row-width",
                    "Rows end with a pipe where their header has none, which opens a cell too many.",
                    (header, unit),
                )


def _pipes(row: str) -> int:
    return re.sub(r"`[^`]*`|\\\|", "", row.strip()).count("|")


def _versions(page: Page, _facts: Facts) -> Iterator[Finding]:
    for unit in page.units:
        version = vague_since(unit.text) if unit.kind is Kind.STATEMENT else None
        if version is not None:
            yield Finding(
                f"{page.id}/vague-version/{version}",
                f"The prose says after {version}, which leaves open whether {version} has it.",
                (unit,),
            )


def _fragment(page: Page, facts: Facts) -> Iterator[Finding]:
    """What an OpenAPI document in the page says against itself and against the prose above it."""
    found = facts.fragments.get(page.id)
    if found is None:
        return
    for unit in page.units:
        if unit.path[:1] != ("paths",) or len(unit.path) < 4:
            continue
        operation = fragment.at(found, *unit.path[:3])
        if len(unit.path) == 4:
            yield from _declared(page, unit, operation, found)
        elif unit.path[3] == "responses":
            yield from _response(page, unit, operation)


def _declared(page: Page, unit: Unit, operation: dict[str, Any], found: dict[str, Any]) -> Iterator[Finding]:
    method, member = unit.path[2:]
    if member == "security" and operation.get("security") and not found.get("security"):
        roots = [other for other in page.units if other.path == ("security",)]
        yield Finding(
            f"{page.id}/security/{method}",
            "The document demands no credentials at its root, the operation demands a token.",
            (*roots, unit),
        )
        missing = [status for status in ("401", "403") if status not in fragment.at(operation, "responses")]
        if missing:
            yield Finding(
                f"{page.id}/undeclared-refusal/{method}",
                f"The operation demands a token and declares no {' and no '.join(missing)}.",
                (unit,),
            )
    if member == "description":
        prose = fold(re.sub(r"[>*`-]", " ", page.text[: unit.start]))
        if fold(re.sub(r"[>*`-]", " ", str(operation.get("description", "")))) not in prose:
            yield Finding(
                f"{page.id}/description/{method}",
                "The operation's description is not what the prose of the page says.",
                (unit,),
            )


def _response(page: Page, unit: Unit, operation: dict[str, Any]) -> Iterator[Finding]:
    status = unit.path[4]
    contents = fragment.at(operation, "responses", status, "content")
    if any("example" in content and "schema" not in content for content in contents.values()):
        yield Finding(
            f"{page.id}/answer-without-schema/{status}",
            f"The {status} answer has an example and no schema.",
            (unit,),
        )
    if status == "422" and _only_path_strings(operation):
        yield Finding(
            f"{page.id}/unreachable-answer/{status}",
            "A validation error is declared, though all that is sent is text within the path.",
            (unit,),
        )


def _only_path_strings(operation: dict[str, Any]) -> bool:
    parameters = operation.get("parameters") or []
    return "requestBody" not in operation and all(
        isinstance(entry, dict)
        and entry.get("in") == "path"
        and fragment.at(entry, "schema").get("type") == "string"
        for entry in parameters
    )


RULES: tuple[Rule, ...] = (
    _field_types,
    _example_members,
    _request_lines,
    _settings,
    _headings,
    _row_widths,
    _versions,
    _fragment,
)
