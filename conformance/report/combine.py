"""Several runs as one matrix, requirement by target: shards of a run, versions, and targets of any kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlconform.conformance.report.exit_code import ExitCode
from mlconform.conformance.report.html import document
from mlconform.conformance.report.presentation import one_line
from mlconform.conformance.report.remedies import Offer, members, offers_of, prices
from mlconform.conformance.report.verdicts import Judgement, Kind, Verdict

# Of two shards of a run: the worst of what was decided, else the worst of what was not.
_ORDER = (
    Kind.FAIL,
    Kind.FLAKY,
    Kind.ERROR,
    Kind.WARN,
    Kind.KNOWN,
    Kind.PASS,
    Kind.UNTESTABLE,
    Kind.INAPPLICABLE,
)


@dataclass(frozen=True, slots=True)
class Column:
    """One target: what all runs against it found, by requirement, and what would let them decide more."""

    title: str
    kinds: Mapping[str, Kind]
    complete: bool
    offers: tuple[Offer, ...] = ()

    @property
    def more(self) -> str:
        """The price of each that a user could give."""
        return prices(self.offers)

    def count(self, kind: Kind) -> int:
        return sum(each is kind for each in self.kinds.values())


@dataclass(frozen=True, slots=True)
class Matrix:
    """Targets side by side; `statements` has every requirement, in order of the ids."""

    columns: tuple[Column, ...]
    statements: Mapping[str, str]

    def row(self, requirement: str) -> tuple[Kind | None, ...]:
        """Its verdict on each target; None where no run judged it there."""
        return tuple(column.kinds.get(requirement) for column in self.columns)

    @property
    def exit_code(self) -> ExitCode:
        """Not conformant where something fails on a target, else incomplete where a run is."""
        if any(column.count(kind) for column in self.columns for kind in (Kind.FAIL, Kind.FLAKY)):
            return ExitCode.NOT_CONFORMANT
        if any(column.count(Kind.ERROR) for column in self.columns):
            return ExitCode.OWN_ERROR
        return ExitCode.CONFORMANT if all(each.complete for each in self.columns) else ExitCode.INCOMPLETE


def combine(judgements: Iterable[Judgement]) -> Matrix:
    """The matrix of judged runs; those of one target, version and documentation are one column."""
    by_target: dict[str, list[Judgement]] = {}
    for judgement in judgements:
        by_target.setdefault(_title(judgement), []).append(judgement)
    statements = {
        verdict.requirement.id: verdict.requirement.statement
        for group in by_target.values()
        for judgement in group
        for verdict in judgement.verdicts
    }
    columns = [
        Column(title, kinds, all(each.run.complete for each in group), offers_of(_undecided(group, kinds)))
        for title, group in by_target.items()
        for kinds in [_joined(group)]
    ]
    return Matrix(tuple(columns), dict(sorted(statements.items())))


def to_text(matrix: Matrix) -> str:
    """The counts of each target, and a line for each requirement that is not the same everywhere or fails."""
    lines = []
    for number, column in enumerate(matrix.columns, 1):
        counts = ", ".join(f"{column.count(kind)} {kind}" for kind in Kind if column.count(kind))
        lines.append(
            f"[{number}] {one_line(column.title)}: {counts}{'' if column.complete else ', incomplete'}"
        )
        if column.more:
            lines.append(f"    decides more with {column.more}")
    told = [name for name in matrix.statements if _tells(matrix.row(name))]
    width = max(map(len, told), default=0)
    lines += [""] if told else []
    for name in told:
        cells = "  ".join(f"{kind or '-':<12}" for kind in matrix.row(name))
        lines.append(f"{one_line(name):<{width}}  {cells}".rstrip())
    lines += ["", f"{len(matrix.statements) - len(told)} are the same on every target"]
    return "\n".join(lines) + "\n"


def to_json(matrix: Matrix) -> str:
    """All of it for a program; null where a target was not judged by a requirement."""
    document_ = {
        "targets": [
            {
                "title": column.title,
                "complete": column.complete,
                "counts": {kind.value: column.count(kind) for kind in Kind},
                "more": members(column.offers),
            }
            for column in matrix.columns
        ],
        "requirements": [{"id": name, "verdicts": matrix.row(name)} for name in matrix.statements],
    }
    return json.dumps(document_, indent=2) + "\n"


def to_html(matrix: Matrix) -> str:
    """All of it as a page of its own."""
    return document(
        "matrix.html.j2", matrix=matrix, tells=[n for n in matrix.statements if _tells(matrix.row(n))]
    )


def _title(judgement: Judgement) -> str:
    header = judgement.run.header
    found = ", ".join(f"{each.product} {each.version}" for each in judgement.run.targets)
    versions = ", ".join(f"{name} {version}" for name, version in header.docs_versions.items())
    return f"{header.target}: {found or 'not discovered'}, judged by {versions or 'nothing'}"


def _joined(judgements: Sequence[Judgement]) -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for judgement in judgements:
        for verdict in judgement.verdicts:
            name = verdict.requirement.id
            found[name] = min((found.get(name, verdict.kind), verdict.kind), key=_ORDER.index)
    return found


def _undecided(judgements: Sequence[Judgement], kinds: Mapping[str, Kind]) -> Iterable[Verdict]:
    """A verdict of each requirement that no shard decided."""
    found: dict[str, Verdict] = {}
    for judgement in judgements:
        for verdict in judgement.verdicts:
            name = verdict.requirement.id
            if verdict.kind is kinds[name] is Kind.UNTESTABLE:
                found.setdefault(name, verdict)
    return found.values()


def _tells(row: Sequence[Kind | None]) -> bool:
    return len(set(row)) > 1 or bool({Kind.FAIL, Kind.FLAKY, Kind.ERROR, Kind.WARN} & set(row))
