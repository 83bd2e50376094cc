"""The overlay: what is written by hand beside the pages; its entries cite units, recordings or a standard."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlconform.conformance.contract.model import Condition, Impact, Level, Remedy, Source
from mlconform.conformance.contract.routes import Route
from mlconform.conformance.contract.schemas import Schema


@dataclass(frozen=True, slots=True)
class Pattern:
    """A requirement for each endpoint or field: `{area}`, `{route}`, `{name}` and `{type}` are filled in."""

    id: str
    statement: str
    level: Level = Level.DOCUMENTED
    unchecked: str | None = None
    remedy: Remedy | None = None
    impact: Impact | None = None


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page of the profile: its file below the folder of its version, and the area of its requirements.

    `files` names the file below the folder of all pages for versions that have it elsewhere. `own` marks the
    pages that are accounted for sentence by sentence. `purpose` are units beside the endpoint itself that the
    requirement for the endpoint rests on; `draft_from` is the slug of the heading from which on the page is
    a draft. `operation` is what the page is about where that is not the first endpoint it lists. `fields` and
    `answers` are the patterns for its rows of request fields and of answer fields; with `examples`, its
    examples follow the patterns of the overlay. `nest` leads from a section or a single row to the member
    that its fields lie in. `published` is the page's address where it is not the one that the overlay's
    pattern gives; empty where nobody published it.
    """

    id: str
    file: str
    area: str
    published: str | None = None
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    own: bool = False
    purpose: tuple[str, ...] = ()
    draft_from: str | None = None
    operation: str | None = None
    fields: Pattern | None = None
    answers: Pattern | None = None
    examples: bool = False
    nest: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Citation:
    """What an entry rests on: units of pages by key, recordings as `scenario#exchange`, or a standard."""

    units: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a request body that the overlay settles; `path` leads to it through the objects."""

    path: tuple[str, ...]
    schema: Schema
    level: Level
    units: tuple[str, ...]
    contradiction: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that the overlay gives: its schema, or the units of the example answers that show it."""

    status: str
    schema: Schema | None = None
    units: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """An operation. Without a citation of its own it stands on the endpoint that a page lists.

    `links` lead from the answer to operations that take its members: operation, parameter, member.
    """

    id: str
    route: Route
    summary: str
    level: Level
    cites: Citation
    request: Schema | None = None
    body_required: bool = False
    members: tuple[Member, ...] = ()
    answers: tuple[Answer, ...] = ()
    links: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequirementEntry:
    """A requirement in our own words.

    `unchecked` says why no check can decide it, `remedy` what would let one, `impact` what a difference
    means to a user where the overlay's `impacts` do not say it, `when` the condition under which the page
    asks for it. It exists in each version that has one of
    its units, or in the `versions` it names.
    """

    id: str
    level: Level
    statement: str
    cites: Citation
    operation: str | None = None
    since: str | None = None
    unchecked: str | None = None
    remedy: Remedy | None = None
    impact: Impact | None = None
    when: Condition | None = None
    versions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What promises nothing, and why: units one by one, a kind of them, or the prose of sections or pages.

    A section is named `page/slug`. With `kinds`, the units of these kinds go with the prose. A requirement
    that rests on a unit of a kind, a section or a page takes it out of the exclusion.
    """

    reason: str
    units: tuple[str, ...] = ()
    kind: str | None = None
    sections: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContradictionEntry:
    """A contradiction settled by hand; `settles` are the findings of the rules that it answers."""

    id: str
    finding: str
    settled: str
    cites: Citation
    settles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeviationEntry:
    """Where a recorded version does not do what a requirement asks.

    `answers` are the places of recorded answers that do not fit their schemas, as operation/status/member.
    `signature` is that of the finding, as a report shows it. `chance` says that a run may miss it.
    """

    requirement: str
    finding: str
    cites: Citation
    answers: tuple[str, ...] = ()
    signature: str | None = None
    chance: bool = False


@dataclass(frozen=True, slots=True)
class Overlay:
    """One profile's overlay: for all versions of its documentation, oldest first.

    `default` is the version that is meant where none is named, `folders` where the pages of each version lie.
    `impacts` has what a difference means to a user by how requirement ids begin; the longest beginning that
    fits is meant. `published` and `repository` are the patterns of a page's addresses; `{version}`, `{path}`,
    `{commit}` (of `commits`, by version) and `{file}` are filled in.
    """

    profile: str
    title: str
    versions: tuple[str, ...]
    servers: tuple[str, ...]
    recorded_versions: tuple[str, ...]
    endpoint: Pattern
    pages: tuple[PageEntry, ...]
    operations: tuple[OperationEntry, ...]
    requirements: tuple[RequirementEntry, ...]
    exclusions: tuple[Exclusion, ...]
    contradictions: tuple[ContradictionEntry, ...]
    deviations: tuple[DeviationEntry, ...] = ()
    default: str | None = None
    example: Pattern | None = None
    answer: Pattern | None = None
    folders: Mapping[str, str] = dataclasses.field(default_factory=dict)
    components: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    security: tuple[Mapping[str, Any], ...] = ()
    error: str | None = None
    impacts: Mapping[str, Impact] = dataclasses.field(default_factory=dict)
    published: str | None = None
    repository: str | None = None
    commits: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def impact_of(self, requirement: str) -> Impact:
        """What a difference from a requirement means to a user, by its area."""
        fitting = [name for name in self.impacts if f"{requirement}.".startswith(f"{name}.")]
        return self.impacts[max(fitting, key=len)] if fitting else Impact.ANSWER

    def file_of(self, page: PageEntry, version: str) -> str:
        """The pattern of the file of a page in a version, below the folder of all pages."""
        below = f"{self.folders[version]}/{page.file}" if version in self.folders else page.file
        return page.files.get(version, below)


def recordings(cites: Citation, overlay: Overlay) -> tuple[Source, ...]:
    """The recordings of a citation as sources, one a recorded version."""
    versions = cites.recorded or overlay.recorded_versions
    found = []
    for text in cites.recordings:
        scenario, _, exchange = text.partition("#")
        found += [Source(recording=scenario, exchange=int(exchange), version=version) for version in versions]
    return tuple(found)
