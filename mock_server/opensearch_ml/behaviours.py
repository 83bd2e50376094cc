"""Behaviours: what the pages of a version say, and what a recorded node did, as named differences.

`documented` starts from the pages. `CHANGES` are what later versions changed: a page that says something
else, or two recordings of a thing that no page mentions. `DEVIATIONS` are where a recorded node contradicts
its pages, or the standards that every API stands on; a recorded behaviour is documented plus its deviations.
Recordings are named as scenario#exchange below `tests/observed/opensearch-<version>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mlconform.mock_server.opensearch_ml.deviations import DEVIATIONS, Deviation, Version
from mlconform.mock_server.opensearch_ml.rules import DOCUMENTED, Rules

DOCS_VERSIONS: tuple[Version, ...] = ((2, 19), (3, 4), (3, 8))
"""The versions whose pages the mock was written from, the oldest first."""


class Change(Struct, frozen=True):
    """Rules that are other ones from a version on; `source` is the page or the recording that shows it."""

    since: Version
    what: str
    source: str
    rules: Mapping[str, Any]


CHANGES = (
    Change(
        (3, 4),
        "A deploy is answered with the status CREATED.",
        "deploy-model.md of 3.4 and 3.8, example response",
        {"deploy_status": "CREATED"},
    ),
    Change(
        (3, 4),
        "A deploy task names its model once it has ended.",
        "get-task.md of 3.4 and 3.8, task in progress",
        {"running_deploy_task_names_model": False},
    ),
    Change(
        (3, 4),
        "Updates of models and connectors refresh the index and say so.",
        "update_fields#4, connector_update_search#2",
        {"update_forces_refresh": True},
    ),
    Change(
        (3, 4),
        "An undeploy that finds no model in any memory marks the models as undeployed.",
        "deploy_twice#5, trained_model#5",
        {"undeploy_marks_what_it_missed": True},
    ),
    Change(
        (3, 4),
        "A setting that is not known is refused as a settings exception.",
        "settings_bounds#8",
        {"unknown_setting_error": "settings_exception"},
    ),
    Change(
        (3, 4),
        "Features that came after 2.19 have a setting each.",
        "cluster-settings.md of 3.4, and the source where it is silent",
        {
            "later_flags": (
                ("agentic_memory_enabled", "true"),
                ("execute_tools_enabled", "true"),
                ("index_insight_feature_enabled", "false"),
                ("mcp_connector_enabled", "false"),
                ("mcp_server_enabled", "false"),
                ("metrics_static_collection_enabled", "false"),
                ("stream_enabled", "false"),
            )
        },
    ),
    Change(
        (3, 4),
        "Names must not be blank, and names and descriptions hold no other than some characters.",
        "register_rejects#10, and the server's source",
        {"texts_are_checked": True},
    ),
    Change(
        (3, 4),
        "A remote model has a configuration of its own kind, which need not be that of a text embedding.",
        "the server's source",
        {"model_config_of_remote_models": True},
    ),
    Change(
        (3, 4),
        "The methods of a path are told in another order.",
        "wire_errors#6",
        {"method_order": ("POST", "PUT", "DELETE", "GET")},
    ),
    Change(
        (3, 4),
        "The refusal of an input tells how to change the interface.",
        "interface_checked#8",
        {"interface_refusal_helps": True},
    ),
    Change(
        (3, 4),
        "A parameter whose schema is that of a string is held to it as text, also where it is JSON.",
        "the server's source",
        {"interface_keeps_strings": True},
    ),
    Change(
        (3, 4),
        "An endpoint that answers nothing is told from one that fails with nothing to say.",
        "the server's source",
        {"empty_answer_names_status": True},
    ),
    Change(
        (3, 4),
        "Every update of a model group counts as a write and moves its time, an empty one too.",
        "model_group_crud#4, model_group_crud#19",
        {"group_update_moves_time": True},
    ),
    Change(
        (3, 4),
        "An agent may plan, execute and reflect, and its tools may have attributes.",
        "register-agent.md of 3.4 and 3.8, table of fields",
        {
            "agent_types": DOCUMENTED.agent_types | {"PLAN_EXECUTE_AND_REFLECT"},
            "agent_llm_interfaces": frozenset(
                {
                    "bedrock/converse/claude",
                    "bedrock/converse/deepseek_r1",
                    "openai/v1/chat/completions",
                }
            ),
            "agent_tools_have_attributes": True,
        },
    ),
    Change(
        (3, 4),
        "An agent's name is not blank and has at most 128 characters.",
        "the published source of the server",
        {"agent_name_limit": 128},
    ),
    Change(
        (3, 4),
        "What goes into a sparse tokenizer may have parameters, and what comes out is not filtered.",
        "local_predict#25, local_predict#28",
        {"texts_take_parameters": True, "tokens_are_filtered": False},
    ),
    Change(
        (3, 4),
        "Where no node may hold a model, the API of settings is told by its name.",
        "local_ml_nodes#9",
        {"settings_api_is_called": "_cluster/settings"},
    ),
    Change(
        (3, 4),
        "Agents can be updated.",
        "the page of 3.1 that introduces it",
        {"agents_can_be_updated": True},
    ),
)


_RECORDED: Mapping[str, Version] = {"opensearch-2.19": (2, 19), "opensearch-3.4": (3, 4)}

BEHAVIOURS = ("documented", *_RECORDED)


def read_version(text: str) -> Version:
    """`2.19` as numbers. Raises ValueError for another form."""
    major, dot, minor = text.partition(".")
    if not (dot and major.isascii() and major.isdigit() and minor.isascii() and minor.isdigit()):
        raise ValueError(f"expected a documentation version such as 2.19, got {text!r}")
    return int(major), int(minor)


def version_of(behaviour: str, docs_version: str | None, default: str) -> Version:
    """The version that a behaviour is of: a recorded one has its own, `documented` the one asked for.

    Raises ValueError for a version that is none, that is older than all that the mock knows, or that is not
    the one of a recorded behaviour.
    """
    recorded = _RECORDED.get(behaviour)
    if docs_version is None:
        return read_version(default) if recorded is None else recorded
    version = read_version(docs_version)
    if recorded is not None and version != recorded:
        raise ValueError(
            f"behaviour {behaviour} has pages of its own: leave the documentation version {docs_version} "
            "out, or take the behaviour documented"
        )
    if version < DOCS_VERSIONS[0]:
        raise ValueError(
            f"expected a documentation version of {show_version(DOCS_VERSIONS[0])} or later, "
            f"got {docs_version!r}"
        )
    return version


def pages_of(version: Version) -> Version:
    """The version whose pages are followed: this one, or the nearest older one that the mock knows."""
    return max(known for known in DOCS_VERSIONS if known <= version)


def show_version(version: Version) -> str:
    """`(2, 19)` as 2.19."""
    return f"{version[0]}.{version[1]}"


def deviations_of(behaviour: str) -> tuple[Deviation, ...]:
    """What sets a behaviour apart from documented."""
    version = _RECORDED.get(behaviour)
    return tuple(deviation for deviation in DEVIATIONS if version in deviation.versions)


def rules_of(behaviour: str, version: Version) -> Rules:
    """The rules of a behaviour and the version that it is of."""
    rules = DOCUMENTED
    for change in CHANGES:
        if change.since <= version:
            rules = replace(rules, **change.rules)
    for deviation in deviations_of(behaviour):
        rules = replace(rules, **deviation.rules)
    return rules
