"""Members that may be otherwise than they were: free by their nature, or by what no source says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from conformance.contract.model import Contract, Requirement
from conformance.mutants.alterations import Kind, Mutant


@dataclass(frozen=True, slots=True)
class Freedom:
    """Members (a glob over `operation status path`) that may be wrong in these ways, and why."""

    members: str
    kinds: frozenset[Kind]
    reason: str


_VALUE: Final = frozenset({Kind.VALUE})
_ANY: Final = frozenset({Kind.VALUE, Kind.LEFT_OUT, Kind.TYPE})
_ABSENT: Final = frozenset({Kind.VALUE, Kind.LEFT_OUT})

FREEDOMS: Final = (
    Freedom("* 200 took", _VALUE, "How long a search took is new each time."),
    Freedom("* 200 *max_score", _VALUE, "A score is the server's own measure."),
    Freedom("* 200 */_score", frozenset({Kind.VALUE, Kind.TYPE}), "The same, also of one hit."),
    Freedom("* 200 */sort/[[]]", frozenset({Kind.VALUE, Kind.TYPE}), "By what the server sorts is its own."),
    Freedom("* 200 */predictor", _ABSENT, "The name of an object in memory serves no client."),
    Freedom("*stat* 200 */ml_*", _VALUE, "Counts what a node did, of others' requests too."),
    Freedom(
        "*stats 200 */ml_*", _ABSENT, "The page shows one statistic; which others there are it leaves open."
    ),
    Freedom("*auto_redeploy_retry_times", _VALUE, "Counts what a node tried by itself."),
    Freedom("register_model 409 *", _ANY, "Only a race that chance decides brings this answer."),
)
_DEFAULTS = "get_cluster_settings 200 defaults/"


def why_free(mutant: Mutant, contract: Contract) -> str | None:
    """Why nobody can call such an answer wrong; None where somebody can."""
    member = str(mutant.place)
    for freedom in FREEDOMS:
        if mutant.kind in freedom.kinds and fnmatchcase(member, freedom.members):
            return freedom.reason
    if (
        member.startswith(_DEFAULTS)
        and mutant.kind in _ABSENT
        and not _is_listed(member, contract.requirements)
    ):
        return "The default of a setting of which no page tells one."
    return None


def _is_listed(member: str, requirements: Mapping[str, Requirement]) -> bool:
    """Whether a requirement names this setting."""
    name = member.removeprefix(_DEFAULTS).replace("/", ".")
    return any(f"`{name}`" in each.statement for each in requirements.values())
