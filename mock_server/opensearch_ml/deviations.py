"""Where recorded nodes contradict their pages, or the standards that every API stands on.

Recordings are named as scenario#exchange below `tests/observed/opensearch-<version>`, those of a secured
node below the folder of that name; what has none rests on the published source of the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Version = tuple[int, int]

_BOTH: tuple[Version, ...] = ((2, 19), (3, 4))
_SECURED: tuple[Version, ...] = ((3, 4),)
_NO_5XX = "A client's mistake is answered with a status below 500."


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where a recorded node differs from the documentation.

    `page` says what the documentation promises, `node` what the node does. `requirement` is the id of the
    requirement that the node breaks, where there is one, `also` are those that it breaks besides; `versions`
    are the recorded versions that do so.
    """

    id: str
    page: str
    node: str
    recording: str | None
    requirement: str | None
    versions: tuple[Version, ...]
    rules: Mapping[str, Any]
    also: tuple[str, ...] = ()

    @property
    def requirements(self) -> tuple[str, ...]:
        """All that it breaks."""
        return self.also if self.requirement is None else (self.requirement, *self.also)


DEVIATIONS = (
    Deviation(
        "deploy-completes-at-once",
        "A deploy is answered before it is done, with CREATED or, of a local model in 2.19, DEPLOYING.",
        "The deploy of a remote model is answered with COMPLETED, another with CREATED, with the task type.",
        "lifecycle#5",
        "osml.remote.example.deploy-answer",
        _BOTH,
        {
            "remote_deploy_status": "COMPLETED",
            "deploy_status": "CREATED",
            "deploy_answer_names_task_type": True,
            "deploy_latency": 0.004,
        },
    ),
    Deviation(
        "local-deploy-created",
        "The deploy of a local model is answered with DEPLOYING; later pages say CREATED.",
        "It is answered with CREATED.",
        None,
        "osml.deploy.answer.status",
        ((2, 19),),
        {"deploy_status": "CREATED"},
    ),
    Deviation(
        "running-task-names-model",
        "A task that goes on has no model_id.",
        "The task of a deploy has it from its beginning.",
        "local_limits#18",
        "osml.task.in-progress",
        ((3, 4),),
        {"running_deploy_task_names_model": True},
    ),
    Deviation(
        "undeploy-value",
        "An undeploy names each model as UNDEPLOYED.",
        "It says undeployed, or not_found where the model was not in memory.",
        "lifecycle#9, deploy_twice#4",
        "osml.undeploy.answer.value",
        _BOTH,
        {"undeployed_value": "undeployed"},
    ),
    Deviation(
        "group-outlives-versions",
        "A group goes with its last version.",
        "It stays, and its name stays taken.",
        "model_group_versions#16",
        "osml.delete.group",
        _BOTH,
        {"group_goes_with_last_version": False},
    ),
    Deviation(
        "interface-nulls-kept",
        "A null removes a schema of the interface.",
        "The schema becomes the text null, which accepts all, and an interface of null changes nothing.",
        "interface_null#8, interface_null#11",
        "osml.update.interface.remove",
        _BOTH,
        {"interface_nulls_remove": False},
    ),
    Deviation(
        "blank-id-undeploy-500",
        _NO_5XX,
        "An undeploy of the id that is an empty string is answered 500.",
        "bulk_unknown#6",
        "osml.wire.no-server-error",
        _BOTH,
        {"blank_id_undeploy_status": 500},
    ),
    Deviation(
        "empty-connector-500",
        _NO_5XX,
        "The creation of a connector without a body is answered 500.",
        "connector_rejects#17",
        "osml.wire.no-server-error",
        _BOTH,
        {"empty_connector_status": 500},
    ),
    Deviation(
        "nameless-group-500",
        _NO_5XX,
        "The registration of a group without a name is answered 500.",
        "model_group_crud#13",
        "osml.wire.no-server-error",
        _BOTH,
        {"nameless_group_status": 500},
    ),
    Deviation(
        "unknown-group-register-500",
        _NO_5XX,
        "The registration of a model in a group that does not exist is answered 500.",
        "register_rejects#8",
        "osml.wire.no-server-error",
        _BOTH,
        {"unknown_group_register_status": 500},
    ),
    Deviation(
        "foreign-connector-update-500",
        _NO_5XX,
        "An update of the connector inside a model that has none is answered 500 with a null pointer.",
        "update_rejects#12",
        "osml.wire.no-server-error",
        ((2, 19),),
        {"foreign_connector_update_fails": True},
        ("osml.wire.no-leak",),
    ),
    Deviation(
        "truncated-predict-500",
        _NO_5XX,
        "A predict body that is no JSON is answered 500 with a null pointer.",
        "predict_errors#12",
        "osml.wire.no-server-error",
        ((2, 19),),
        {"malformed_predict_fails": True},
        ("osml.wire.no-leak",),
    ),
    Deviation(
        "listed-parameters-500",
        "A predict whose parameters are a list is no fault of the server.",
        "It is answered 500 with a null pointer.",
        "predict_parameters#7",
        "osml.wire.no-server-error",
        _BOTH,
        {"listed_parameters_fail": True},
        ("osml.wire.no-leak",),
    ),
    Deviation(
        "output-guardrail-500",
        _NO_5XX,
        "An answer that an output guardrail stops, or that can't be processed, is a 500.",
        "guardrails_predict#10",
        "osml.wire.no-server-error",
        ((2, 19),),
        {"output_faults_wrapped": True},
    ),
    Deviation(
        "uncached-predict-404",
        "A predict whose body is no good is answered 400.",
        "It is answered 404, with the same reason, where the model is not in memory.",
        None,
        None,
        _BOTH,
        {"uncached_predict_fault_status": 404},
    ),
    Deviation(
        "unforeseen-mistakes-500",
        _NO_5XX,
        "Values of a kind that the node does not foresee, a null for a text say, are answered 500.",
        None,
        "osml.wire.no-server-error",
        _BOTH,
        {"node_error_status": 500},
    ),
    Deviation(
        "pooling-mode-spelling",
        "A pooling mode is `weightedmean`; later pages know `lasttoken` and `none` too.",
        "These are refused; the modes are weighted_mean and last_token.",
        None,
        None,
        _BOTH,
        {"pooling_modes": frozenset({"mean", "mean_sqrt_len", "max", "weighted_mean", "cls", "last_token"})},
    ),
    Deviation(
        "gone-document-500",
        _NO_5XX,
        "An update whose document is deleted while it is under way is answered 500.",
        None,
        "osml.race.one-outcome",
        _BOTH,
        {"gone_document_status": 500},
    ),
    Deviation(
        "raced-deploy-fails",
        "A model that is deployed twice at the same moment ends deployed.",
        "Of about every other model the state ends as DEPLOY_FAILED, though both deploys were accepted.",
        None,
        "osml.race.one-outcome",
        _BOTH,
        {"raced_deploy_fails": 0.5},
        ("osml.deploy.in-memory",),
    ),
    Deviation(
        "number-out-of-range-500",
        _NO_5XX,
        "A whole number that does not fit its kind is answered 500.",
        "server_errors#17",
        "osml.wire.no-server-error",
        ((2, 19),),
        {"number_out_of_range_status": 500},
    ),
    Deviation(
        "redeploy-retries-unbounded",
        "Redeployment is tried again 0 to 100 times.",
        "The setting takes any whole number.",
        "settings_redeploy_retries#1",
        "osml.settings.redeploy-retries.values",
        _BOTH,
        {"redeploy_retries_are_bounded": False},
    ),
    Deviation(
        "register-ignores-is-enabled",
        "A model can be registered as disabled.",
        "What is sent is not looked at: the model is enabled.",
        "registered_disabled#3",
        "osml.register.field.is_enabled",
        ((2, 19),),
        {"register_keeps_is_enabled": False},
        ("osml.rate-limit.disabled-stays", "osml.relation.as-sent"),
    ),
    Deviation(
        "disabled-model-used-once",
        "A disabled model can't be used.",
        "Where it is in no memory, the first predict call is answered; those that follow are refused.",
        "disabled_model_not_deployed#4",
        "osml.update.disabled",
        _BOTH,
        {"disabled_is_noticed_at_first_use": False},
    ),
    Deviation(
        "disabled-model-used-at-once",
        "A disabled model can't be used.",
        "A predict call right after the update of a deployed model may still be answered.",
        None,
        "osml.update.disabled-status",
        _BOTH,
        {"disabled_is_noticed_late": 0.1},
    ),
    Deviation(
        "misread-texts-500",
        _NO_5XX,
        "Texts that are no list of texts are answered 500.",
        "local_predict#14, local_predict#17",
        "osml.wire.no-server-error",
        ((3, 4),),
        {"misread_texts_fail": True},
    ),
    Deviation(
        "partly-deployed-refuses",
        "A partially deployed model is deployed on some nodes, and answers there.",
        "A local model that some nodes had no room for is refused as not ready.",
        "local_nodes#41",
        None,
        ((3, 4),),
        {"partly_deployed_serves": False},
    ),
    Deviation(
        "registrations-never-run",
        "A task is created, runs, and ends.",
        "The task of a registration by URL reads as created until it ends.",
        "local_url_fails#16",
        None,
        _BOTH,
        {"registrations_run": False},
    ),
    Deviation(
        "missing-controller-unnamed",
        "The refusal of a missing controller names the model.",
        "It speaks of the model's id and leaves it out.",
        "controllers#13",
        None,
        _BOTH,
        {"missing_controller_reason": "Failed to find model controller with the provided model ID"},
    ),
    Deviation(
        "missing-controller-before-the-first",
        "The refusal of a missing controller names the model.",
        "Before the first controller was ever made it does not even speak of an id.",
        "controllers#4 (2.19), access_models#123 (3.4)",
        None,
        _BOTH,
        {"missing_controller_index_matters": True},
    ),
    Deviation(
        "batch-job-asked-about",
        _NO_5XX,
        "A read of the task of a batch predict asks the endpoint how its job is doing; without an action for "
        "that which has a body it is answered 500.",
        None,
        "osml.wire.no-server-error",
        _BOTH,
        {"batch_jobs_are_asked_about": True},
    ),
    Deviation(
        "running-task-kept",
        "The state of a task is not looked at when it is deleted.",
        "The delete of a task that is running is answered 500.",
        None,
        None,
        _BOTH,
        {"running_tasks_are_kept": True},
    ),
    Deviation(
        "profile-of-nothing",
        "The nodes that a profile's body names are shown with all their tasks and models.",
        "A body that names no models or tasks and does not ask for all is answered with nothing.",
        None,
        None,
        _BOTH,
        {"profile_body_means_all": False},
    ),
    Deviation(
        "stats-of-the-cluster",
        "Statistics lead from node ids to numbers.",
        "They begin with those of the cluster and have the nodes, with algorithms and models, under nodes.",
        None,
        None,
        _BOTH,
        {"stats_are_by_node_alone": False},
    ),
    Deviation(
        "restart-reads-deployed",
        "After a restart a model is not deployed until it is deployed again.",
        "It reads DEPLOYED though no node has it in memory.",
        "seen by hand on 2.19.0, not recorded",
        None,
        ((2, 19),),
        {"restart_shows_undeployed": False},
    ),
    Deviation(
        "group-deleted-by-strangers",
        "With access control on, a group is deleted by its owner, by who shares a backend role, or by an "
        "admin; only a public one by anybody.",
        "Whoever may delete groups at all deletes a private or restricted one of somebody else.",
        "access#381, access#382",
        "osml.access.group.delete-stranger",
        _SECURED,
        {"group_delete_is_controlled": False},
    ),
    Deviation(
        "hidden-group-takes-versions",
        "Only its owner, and an admin, can use a private group.",
        "A model that is registered without a group and has a hidden one's name becomes a version of that.",
        "access_models#9",
        "osml.access.hidden-name",
        _SECURED,
        {"group_found_by_name_is_controlled": False},
    ),
    Deviation(
        "group-of-a-registration-public",
        "The group that a registration makes is private, or has the access that was sent.",
        "It is public and has no owner, and access parameters are refused as if nothing controlled access.",
        "access#184, access_models#16",
        "osml.register.group-access",
        _SECURED,
        {"registered_group_is_controlled": False},
    ),
    Deviation(
        "unknown-mode-is-none",
        "The access mode of a group is public, private or restricted.",
        "Any other is as good as none.",
        "access#161, access_groups#44",
        "osml.access.group.mode-values",
        _SECURED,
        {"unknown_access_modes_refused": False},
    ),
    Deviation(
        "closed-connector-serves",
        "A connector that is closed to a user is not used by that user.",
        "Models on it are registered and asked by whoever has access to models.",
        "access_connectors#119, access_connectors#155",
        "osml.access.connector.use",
        _SECURED,
        {"connectors_serve_their_users": False},
    ),
    Deviation(
        "owner-needs-the-role",
        "The owner of a restricted group has access to it.",
        "Not without one of its backend roles.",
        "access_groups#87, access_models#171",
        "osml.access.group.owner-keeps",
        _SECURED,
        {"owner_keeps_restricted": False},
    ),
    Deviation(
        "one-undeploy-under-control",
        "An undeploy names several models.",
        "With model access control on it names one, also of an admin.",
        "access#225, access_models#119",
        "osml.undeploy.model-ids",
        _SECURED,
        {"several_undeploy_under_control": False},
        also=("osml.undeploy.mixed", "osml.undeploy.several-unknown"),
    ),
    Deviation(
        "unknown-group-under-control",
        "An update that names an unknown group is answered 404.",
        "With model access control on it is answered 500, but to an admin.",
        "access_orphan#405",
        "osml.update.unknown-group",
        _SECURED,
        {"unknown_group_under_control_status": 500},
    ),
    Deviation(
        "read-role-needs-indices",
        "The role that only reads shows statistics.",
        "Those of the cluster take a permission that the role has not.",
        "access#39",
        "osml.access.role.reads",
        _SECURED,
        {"stats_ask_for_indices": True},
    ),
    Deviation(
        "read-role-name",
        "The role that only reads is ml_readonly_access.",
        "It is ml_read_access, and there is no other.",
        "security_api#13",
        None,
        _SECURED,
        {"read_roles": ("ml_read_access",)},
    ),
    Deviation(
        "profile-refusal-500",
        _NO_5XX,
        "The refusal of a profile is a 500 of a form of its own.",
        "access#66",
        "osml.wire.no-server-error",
        _SECURED,
        {"refused_profile_fails": True},
        also=("osml.access.role.none",),
    ),
    Deviation(
        "refused-connector-delete-500",
        _NO_5XX,
        "The delete of a connector that is not open to the caller is answered 500.",
        "access_connectors#124",
        "osml.wire.no-server-error",
        _SECURED,
        {"refused_connector_delete_status": 500},
        also=("osml.access.connector.delete",),
    ),
    Deviation(
        "refusal-outlives-request",
        "A request is answered by what it brings itself (RFC 9110, section 3.3).",
        "After a request with no or wrong credentials that is refused before they are looked at (400, 405, "
        "406), the next one on that connection is answered 401, whatever it brings.",
        None,
        "osml.access.connection",
        _SECURED,
        {"refusal_outlives_request": True},
    ),
)
