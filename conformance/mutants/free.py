"""Members that may be otherwise than they were: free by their nature, or by what no source says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from mlconform.conformance.contract.model import Contract, Requirement
from mlconform.conformance.mutants.alterations import Kind, Mutant


@dataclass(frozen=True, slots=True)
class Freedom:
    """Members (a glob over `operation status path`) that may be wrong in these ways, and why."""

    members: str
    kinds: frozenset[Kind]
    reason: str


_VALUE: Final = frozenset({Kind.VALUE})
_ANY: Final = frozenset({Kind.VALUE, Kind.LEFT_OUT, Kind.TYPE})
_ABSENT: Final = frozenset({Kind.VALUE, Kind.LEFT_OUT})
_OF_SHARDS: Final = "Where in the cluster a search failed is for those who run it; no page tells of it."

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
    Freedom("get_task 200 error", _VALUE, "How a failure is worded is the server's own."),
    Freedom("update_model 406 error", _VALUE, "How a refusal is worded is the server's own."),
    Freedom(
        "profile* 200 */memory_size_estimation_?pu",
        _ABSENT,
        "What a model may take of memory is a node's own estimate; no page tells of it.",
    ),
    Freedom(
        "predict_algorithm 200 */dataAsMap/response/[[]]/*",
        frozenset({Kind.LEFT_OUT}),
        "Which words a sparse encoder weighs is the model's own.",
    ),
    Freedom("*auto_redeploy_retry_times", _ABSENT, "Counts what a node tried by itself."),
    Freedom("register_model 409 *", _ANY, "Only a race that chance decides brings this answer."),
    Freedom("* 4?? error/caused_by/*/*", _ANY, _OF_SHARDS),
    Freedom("* 4?? error/caused_by/grouped", _ANY, _OF_SHARDS),
    Freedom("* 4?? error/caused_by/phase", _ANY, _OF_SHARDS),
    Freedom("* 4?? error/caused_by/failed_shards", frozenset({Kind.TYPE}), _OF_SHARDS),
    Freedom("* 4?? error/root_cause/[[]]/index*", _ANY, _OF_SHARDS),
    Freedom(
        "* 4?? error/caused_by", frozenset({Kind.LEFT_OUT}), "No page says of which errors a cause is told."
    ),
    Freedom(
        "* 4?? error/caused_by/reason", _ABSENT, "What a cause says is told in words of the server's own."
    ),
    Freedom("* 4?? error/caused_by/type", _VALUE, "What a cause says is told in words of the server's own."),
)
_OF_ANOTHER_API: Final = "Of a completion the page promises `choices`; how they look, another vendor says."
# Of Nugen, which few pages tell of.
_NUGEN: Final = (
    Freedom("create_completion 200 [!c]*", _ANY, _OF_ANOTHER_API),
    Freedom("create_completion 200 created", _ANY, _OF_ANOTHER_API),
    Freedom("create_completion 200 choices/[[]]/*", _ANY, _OF_ANOTHER_API),
    Freedom("* 40[13] detail", _ANY, "No page tells what a refusal of a token says."),
    Freedom("*_aligned_model 404 detail", _ANY, "No page tells what a deploy of an unknown model says."),
    Freedom("get_*_status 404 detail", _ANY, "No page tells what the status of an unknown model says."),
    Freedom(
        "list_aligned_models 200 domain_aligned_models/[[]]/endpoint",
        _ABSENT,
        "The page says only that a model without a deployment has no endpoint.",
    ),
    Freedom(
        "list_aligned_models 200 domain_aligned_models/[[]]/name",
        _VALUE,
        "A run makes no aligned model, and no page shows the name of one anywhere else.",
    ),
    Freedom("create_completion 400 detail", _ANY, "No page tells what a refused completion says."),
    Freedom(
        "create_completion 422 detail/[[]]/loc/[[]]",
        frozenset({Kind.TYPE}),
        "The page lets a step to a mistake be a text or a number.",
    ),
    Freedom("create_completion 422 detail/[[]]/*", _VALUE, "How a validation words a mistake is its own."),
    Freedom("get_*_status 200 *_time", _ANY, "The page promises no times, and does not say how they look."),
    Freedom("get_*_status 200 result", frozenset({Kind.LEFT_OUT}), "The page does not promise a result."),
    *(
        Freedom(
            f"list_aligned_models 200 domain_aligned_models/[[]]/{name}",
            _ANY,
            "Of an aligned model the page promises an id, a name and its states.",
        )
        for name in (
            "alignment_id",
            "alignment_project",
            "base_model",
            "conversation_saving_enabled",
            "created_date",
            "creator",
            "downloadable",
            "evaluation_data*",
            "last_used",
            "performance_metrics*",
            "usage_count",
        )
    ),
)
_DEFAULTS = "get_cluster_settings 200 defaults/"


def why_free(mutant: Mutant, contract: Contract) -> str | None:
    """Why nobody can call such an answer wrong; None where somebody can."""
    member = str(mutant.place)
    for freedom in FREEDOMS if contract.profile != "nugen" else (*FREEDOMS, *_NUGEN):
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
