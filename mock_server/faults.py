"""Mutants: the mock with one deliberate fault each. A check earns its place by telling one apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mlconform.mock_server.nugen.rules import Rules as NugenRules
from mlconform.mock_server.opensearch_ml.rules import Rules as OpenSearchMlRules
from mlconform.mock_server.opensearch_ml.rules import User

OPENSEARCH_ML = "opensearch-ml"
NUGEN = "nugen"


class Mutant(Struct, frozen=True):
    """One fault: `rules` are the rules that it breaks, with the wrong value of each.

    A `secured` one is seen where the cluster has users, and nowhere else; one with `ml_nodes` where no more
    nodes than these are for machine learning, and so its mock is made unless it is told otherwise.
    """

    name: str
    profile: str
    description: str
    rules: Mapping[str, Any]
    secured: bool = False
    ml_nodes: int | None = None

    def breaks(self, rules: OpenSearchMlRules) -> OpenSearchMlRules:
        """The rules of OpenSearch ML with the fault, which is none where it is another profile's."""
        return replace(rules, **self.rules) if self.profile == OPENSEARCH_ML else rules

    def breaks_nugen(self, rules: NugenRules) -> NugenRules:
        """The rules of Nugen with the fault, which is none where it is another profile's."""
        return replace(rules, **self.rules) if self.profile == NUGEN else rules


def _opensearch(name: str, description: str, **rules: Any) -> Mutant:
    return Mutant(name, OPENSEARCH_ML, description, rules)


def _secured(name: str, description: str, **rules: Any) -> Mutant:
    return Mutant(name, OPENSEARCH_ML, description, rules, secured=True)


def _nugen(name: str, description: str, **rules: Any) -> Mutant:
    return Mutant(f"nugen-{name}", NUGEN, description, rules)


_UNITS_SHORT = frozenset({"DAYS", "HOURS", "MICROSECONDS", "MILLISECONDS", "MINUTES", "SECONDS"})

_ALL = (
    # Registration.
    _opensearch(
        "group-closed-by-default",
        "A group of which nothing is said is private though nobody controls access.",
        access_without_control="private",
    ),
    _opensearch("versions-begin-at-two", "The first version of a group is 2.", first_version=2),
    _opensearch("model-tells-no-group", "A model does not tell its group.", models_tell_their_group=False),
    _opensearch(
        "remote-reads-as-local", "A remote model reads as a local one.", remote_models_show="TEXT_EMBEDDING"
    ),
    _opensearch(
        "registration-deploys", "A registration deploys though nobody asked.", registrations_deploy=True
    ),
    _opensearch("guardrail-models-refused", "No model can be a guardrail.", models_can_be_guardrails=False),
    _opensearch(
        "no-url-trusted-by-default",
        "Where nobody says which URLs are trusted none is.",
        urls_are_trusted_by_default=False,
    ),
    # Deploy.
    _opensearch(
        "deploy-never-finishes", "A deploy is accepted and the model stays DEPLOYING.", deploys_finish=False
    ),
    _opensearch(
        "deploy-ignores-node-ids", "A deploy to named nodes goes to every node.", node_ids_limit_deploy=False
    ),
    _opensearch(
        "deploy-plan-setting-ignored",
        "Named nodes are accepted though custom deployment plans are off.",
        custom_plan_needs_setting=False,
    ),
    _opensearch(
        "deploy-task-names-no-model",
        "The task of a deploy does not tell the model.",
        deploy_task_names_model=False,
    ),
    _opensearch(
        "deploy-task-never-completes",
        "The task of a finished deploy stays RUNNING.",
        deploy_task_completes=False,
    ),
    _opensearch(
        "deploy-answers-started",
        "A deploy is answered with the status STARTED.",
        deploy_status="STARTED",
        remote_deploy_status="STARTED",
    ),
    _opensearch("auto-deploy-ignored", "Predict never deploys an undeployed model.", auto_deploy=False),
    _opensearch(
        "auto-deploy-not-disabled",
        "Predict deploys a model though the setting is off.",
        auto_deploy_can_be_disabled=False,
    ),
    _opensearch("restart-keeps-models", "A restart leaves models in memory.", restart_empties_memory=False),
    _opensearch(
        "auto-redeploy-ignored", "A restarted cluster never redeploys by itself.", auto_redeploy=False
    ),
    # Several nodes.
    _opensearch(
        "other-nodes-lag", "The others answer as it was before what was written last.", nodes_agree=False
    ),
    _opensearch(
        "other-nodes-serve-nothing", "Predict goes through the first node alone.", every_node_serves=False
    ),
    _opensearch(
        "undeploy-forgets-other-nodes",
        "The others still answer with a model that was undeployed.",
        undeploy_reaches_other_nodes=False,
    ),
    _opensearch(
        "refused-delete-parts-nodes",
        "A node leaves for a while when a delete is refused for users of several kinds.",
        conflict_names_all_kinds=False,
        second_refusals_part_nodes=1.0,
    ),
    _opensearch(
        "departed-node-stays", "A model still reads as on a node that left.", departures_are_noticed=False
    ),
    _opensearch(
        "returned-node-ignored", "A node that comes back gets no model.", returned_nodes_are_used=False
    ),
    _opensearch(
        "returned-node-unsettles",
        "A model reads DEPLOYING for good once it was undeployed after a node came back.",
        returned_nodes_unsettle=True,
    ),
    _opensearch(
        "failed-deploy-goes-on", "A deploy that failed leaves the model DEPLOYING.", failed_deploy_ends=False
    ),
    _opensearch(
        "failed-predict-goes-on",
        "A predict that could not deploy a model leaves it DEPLOYING.",
        failed_auto_deploy_ends=False,
    ),
    _opensearch(
        "failed-call-keeps-memory",
        "A model whose endpoint refused can't be taken out of memory.",
        failed_calls_leave_model_usable=False,
    ),
    _opensearch(
        "deleted-model-stays",
        "A model that is deleted while a predict call deploys it stays in memory.",
        deleted_stays_in_memory=1.0,
    ),
    _opensearch(
        "redeploys-unlimited",
        "A model is deployed again by itself more often than the setting says.",
        redeploys_are_limited=False,
    ),
    # Local models.
    _opensearch("hash-ignored", "A file with another hash is taken.", content_hash_is_checked=False),
    _opensearch("file-ignored", "A file that is no model is taken.", fetched_files_are_checked=False),
    _opensearch("fetch-failure-ignored", "A URL without a file is taken.", failed_fetches_fail=False),
    _opensearch(
        "missing-index-fails",
        "Before anything was kept, uses of models and deletes fail.",
        missing_index_is_told=True,
        missing_index_fails=True,
    ),
    *(
        _opensearch(
            f"missing-index-breaks-{what}",
            f"Before anything of a kind was kept, {what} fail.",
            missing_index_is_told=True,
            missing_index_breaks=frozenset({verb}),
        )
        for what, verb in (("reads", "get"), ("searches", "search"), ("updates", "update"))
    ),
    _opensearch("chunk-lost", "Of a file only the first chunk that comes is kept.", chunks_are_kept=False),
    _opensearch(
        "chunks-by-arrival",
        "Chunks are put together as they came, not by their numbers.",
        chunks_are_in_order=False,
    ),
    _opensearch(
        "registering-shows-registered",
        "A model whose file is still to come reads as REGISTERED.",
        registering_shows=False,
    ),
    _opensearch(
        "registration-never-ends",
        "The task of the registration of a local model stays RUNNING.",
        register_task_completes=False,
    ),
    _opensearch(
        "deploy-leaves-a-node-out",
        "A deploy to all nodes leaves one of several out.",
        deploy_reaches_all_nodes=False,
    ),
    _opensearch(
        "worker-count-lies", "A model tells of one worker node too many.", worker_counts_are_true=False
    ),
    _opensearch("weights-ignored", "Each word weighs the same.", weights_are_read=False),
    _opensearch(
        "undeploy-keeps-memory",
        "An undeployed model reads so, and stays in the memory of the nodes.",
        undeploy_frees_memory=False,
    ),
    _opensearch("models-unlimited", "A node holds any number of local models.", models_are_limited=False),
    _opensearch(
        "deploy-tasks-unlimited", "Any number of deploys go on at once.", deploy_tasks_are_limited=False
    ),
    _opensearch(
        "register-tasks-unlimited",
        "Any number of registrations go on at once.",
        register_tasks_are_limited=False,
    ),
    _opensearch(
        "heap-threshold-ignored",
        "Local models are used whatever the threshold for heap memory is.",
        heap_threshold_is_kept=False,
    ),
    _opensearch(
        "thresholds-all-or-nothing",
        "A threshold for memory stops local models where it is 0, and not where more is used than it allows.",
        thresholds_are_graded=False,
    ),
    Mutant(
        "only-ml-nodes-ignored",
        OPENSEARCH_ML,
        "Any node holds local models though only ML nodes may.",
        {"only_ml_nodes_is_kept": False},
        ml_nodes=1,
    ),
    _opensearch(
        "config-left-out", "A model that needs a configuration is registered without.", config_is_needed=False
    ),
    _opensearch("size-not-measured", "The size of a fetched file is told as 0.", size_is_measured=False),
    _opensearch("meta-incomplete", "A file is announced without its hash.", meta_is_complete=False),
    _opensearch("first-chunk-stays", "A chunk that comes again changes nothing.", later_chunk_replaces=False),
    _opensearch(
        "deploying-model-deleted",
        "A model is deleted while it is being deployed.",
        deploying_model_is_kept=False,
    ),
    _opensearch("no-texts-answered", "A predict without texts is answered.", empty_texts_refused=False),
    _opensearch("url-setting-ignored", "URLs need no setting.", via_url_needs_setting=False),
    _opensearch("file-setting-ignored", "Uploads need no setting.", via_file_needs_setting=False),
    _opensearch("any-url-trusted", "Every URL is trusted.", urls_are_trusted_by_setting=False),
    _opensearch(
        "local-models-always-on",
        "Local models cannot be turned off.",
        local_models_can_be_disabled=False,
    ),
    # Undeploy.
    _opensearch(
        "undeploy-changes-nothing",
        "An undeploy is answered 200 and changes nothing.",
        undeploy_takes_effect=False,
    ),
    _opensearch(
        "undeploy-says-removed", "An undeployed model is told as REMOVED.", undeployed_value="REMOVED"
    ),
    _opensearch("ttl-ignored", "A model with a TTL stays in memory for ever.", ttl_checked=False),
    _opensearch("ttl-minute-early", "A TTL ends one minute too early.", ttl_error_minutes=-1),
    _opensearch("ttl-minute-late", "A TTL ends one minute too late.", ttl_error_minutes=1),
    _opensearch("ttl-not-renewed", "Predict does not begin the TTL anew.", ttl_renewed_by_predict=False),
    _opensearch("ttl-renewed-by-read", "Reading a model begins its TTL anew.", ttl_renewed_by_read=True),
    _opensearch(
        "sync-interval-default-hour", "The sync-up job runs once an hour.", sync_interval_default=3600
    ),
    _opensearch(
        "zero-interval-syncs", "The sync-up job runs with an interval of 0.", sync_interval_of_zero=10
    ),
    # Delete.
    _opensearch("delete-deployed-succeeds", "A deployed model can be deleted.", deployed_model_is_kept=False),
    _opensearch("delete-keeps-model", "A deleted model can still be read.", delete_removes=False),
    _opensearch(
        "delete-without-seq-no", "The answer of a delete lacks _seq_no.", delete_answers_seq_no=False
    ),
    _opensearch(
        "group-survives-last-version",
        "A group stays when its last version is deleted.",
        group_goes_with_last_version=False,
    ),
    _opensearch("safe-delete-default-on", "Safe delete is on by default.", safe_delete_by_default=True),
    _opensearch(
        "safe-delete-ignores-ingest-pipelines",
        "Safe delete does not ask the ingest pipelines.",
        safe_delete_asks=frozenset(User) - {User.INGEST_PIPELINE},
    ),
    _opensearch(
        "safe-delete-ignores-search-pipelines",
        "Safe delete does not ask the search pipelines.",
        safe_delete_asks=frozenset(User) - {User.SEARCH_PIPELINE},
    ),
    _opensearch(
        "safe-delete-ignores-agents",
        "Safe delete does not ask the agents.",
        safe_delete_asks=frozenset(User) - {User.AGENT},
    ),
    _opensearch(
        "conflict-names-no-pipeline", "The 409 of a safe delete names no user.", conflict_names_users=False
    ),
    _opensearch("conflict-is-400", "A safe delete refuses with 400 instead of 409.", conflict_status=400),
    # Requests at the same moment.
    _opensearch(
        "second-delete-says-deleted",
        "Of two deletes at the same moment both say that they deleted.",
        delete_tells_what_it_did=False,
    ),
    _opensearch(
        "group-counts-version-twice",
        "Two registrations at the same moment get the same version of a group.",
        group_write_is_conditional=False,
    ),
    # Update.
    _opensearch("update-loses-ttl", "A TTL that an update sends is not stored.", update_stores_ttl=False),
    _opensearch("update-drops-ttl", "An update that sends no TTL removes it.", update_keeps_ttl=False),
    _opensearch(
        "update-loses-description",
        "An update that sends no description removes it.",
        update_keeps_description=False,
    ),
    _opensearch(
        "update-without-seq-no", "The answer of an update lacks _seq_no.", update_answers_seq_no=False
    ),
    _opensearch(
        "rejected-update-half-done",
        "A refused update keeps what came before the refusal.",
        rejected_update_changes_nothing=False,
    ),
    _opensearch(
        "deployed-connector-updates",
        "A connector can be updated while a deployed model uses it.",
        deployed_connector_is_kept=False,
    ),
    _opensearch(
        "interface-nulls-kept",
        "Nulls do not remove the schemas of an interface.",
        interface_nulls_remove=False,
    ),
    # Predict.
    _opensearch(
        "disabled-still-predicts", "A disabled model answers predict.", disabled_refuses_predict=False
    ),
    _opensearch("rate-limit-ignored", "A rate limit limits nothing.", rate_limit_enforced=False),
    _opensearch(
        "rate-limit-unit-missing", "The unit NANOSECONDS is refused.", rate_limit_units_known=_UNITS_SHORT
    ),
    _opensearch("interface-not-checked", "Predict is not held to the interface.", interface_checked=False),
    # What uses models.
    _opensearch(
        "pipeline-loses-model",
        "An ingest pipeline forgets the model that it uses.",
        pipelines_keep_models=False,
    ),
    # The wire.
    _opensearch("error-without-root-cause", "Errors have no root_cause.", error_has_root_cause=False),
    _opensearch("errors-tell-stacks", "Every error has a stack trace.", errors_tell_stacks=True),
    _opensearch("errors-tell-classes", "Every error names a class of the server.", errors_tell_classes=True),
    _opensearch(
        "errors-tell-credentials",
        "Every error tells the credentials of the connectors.",
        errors_tell_credentials=True,
    ),
    _opensearch("bad-json-is-500", "A body that is not JSON is answered 500.", malformed_json_status=500),
    _opensearch("truncated-bodies", "Bodies lack their last byte.", bodies_are_whole=False),
    _opensearch("wrong-content-type", "JSON is declared to be text/plain.", content_type_is_true=False),
    # Users and access.
    _secured("any-password", "A wrong password lets in.", passwords_are_checked=False),
    _secured("unauthorized-is-403", "Missing credentials are answered 403.", unauthorized_status=403),
    _secured("forbidden-is-401", "A missing permission is answered 401.", forbidden_status=401),
    _secured("refusal-acts", "What is refused is done all the same.", refusals_change_nothing=False),
    _secured(
        "refusal-names-model", "The refusal of a hidden model tells its name.", refusals_name_nothing=False
    ),
    _secured("read-role-writes", "The role that only reads may do everything.", read_role_only_reads=False),
    _secured(
        "private-open-to-role",
        "A private group is open to who shares a backend role with its owner.",
        private_is_closed_to_roles=False,
    ),
    _secured(
        "restricted-open-to-other-role",
        "A restricted group is open to whoever has a backend role at all.",
        restricted_needs_a_shared_role=False,
    ),
    _secured(
        "group-public-by-default", "A group of which nothing is said is public.", default_access="public"
    ),
    _secured(
        "any-role-given",
        "A group can be given backend roles that its owner has not.",
        given_roles_are_owned=False,
    ),
    _secured(
        "access-changed-by-stranger",
        "Who may use a group may change its access.",
        access_is_changed_by_owner=False,
    ),
    _secured("owner-changes", "Who registers a version becomes the owner of the group.", owner_stays=False),
    _secured(
        "version-in-hidden-group",
        "A version can be registered in a group that is hidden.",
        new_versions_are_controlled=False,
    ),
    _secured("group-deleted-by-stranger", "Anybody deletes any group.", group_delete_is_controlled=False),
    _secured("search-shows-hidden-models", "A search shows every model.", searches_hide_models=False),
    _secured("search-shows-hidden-groups", "A search shows every group.", searches_hide_groups=False),
    _secured(
        "search-counts-hidden",
        "A search counts what it does not show.",
        searches_count_what_they_show=False,
    ),
    _secured(
        "connectors-open", "Connector access control hides no connector.", connectors_are_controlled=False
    ),
    # Nugen.
    _nugen(
        "second-undeploy-ok", "Undeploying an undeployed model is answered 200.", undeployed_is_refused=False
    ),
    _nugen("no-auth", "No token is required.", token_required=False),
    _nugen("any-token", "A wrong token is accepted.", token_checked=False),
    _nugen("undeploy-answers-object", "Undeploy answers an object, not a string.", undeploy_answers_id=False),
    _nugen(
        "undeploy-changes-nothing", "An undeployed model comes back DEPLOYED.", undeploy_takes_effect=False
    ),
    _nugen("undeploy-never-finishes", "An undeploy stays UNDEPLOYING.", undeploy_finishes=False),
    _nugen("unknown-is-400", "Undeploying an unknown model is answered 400.", unknown_undeploy_status=400),
    _nugen("undeployed-infers", "An undeployed model still answers inference.", undeployed_infers=True),
    _nugen(
        "endpoint-always", "An undeployed model still shows an endpoint.", endpoint_only_while_deployed=False
    ),
    _nugen("no-redeploy", "An undeployed model can't be deployed again.", undeployed_can_be_redeployed=False),
    _nugen("wrong-message", "A completed undeploy has another message.", completed_message="Done"),
    _nugen("strange-state", "A model that is ready reads as TRAINED.", ready_shows="TRAINED"),
    _nugen(
        "strange-deployment",
        "The deployment of a model that is not deployed reads as NONE.",
        not_deployed_shows="NONE",
    ),
    _nugen("undeploy-runs", "An undeploy that goes on reads as RUNNING.", pending_shows="RUNNING"),
    _nugen("bad-json-is-500", "A body that is not JSON is answered 500.", malformed_json_status=500),
    _nugen("truncated-bodies", "Bodies lack their last byte.", bodies_are_whole=False),
)

MUTANTS: Mapping[str, Mutant] = {mutant.name: mutant for mutant in _ALL}
