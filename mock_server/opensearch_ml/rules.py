"""What an OpenSearch ML target does, one field a rule; the defaults are what the documentation says.

The pages are those of 2.19; where they are silent the default is what the recordings of that version show.
A behaviour is one value of this class, and a mutant is that value with one deliberate fault.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class User(StrEnum):
    """The kinds of thing that can use a model, in the order in which a safe delete names them."""

    INGEST_PIPELINE = "ingest pipeline"
    SEARCH_PIPELINE = "search pipeline"
    AGENT = "agent"


class Rules(Struct, frozen=True):
    """The rules of one behaviour. Statuses are HTTP statuses; times are seconds unless named otherwise."""

    # Where recorded nodes contradict a page or the standards.
    deploy_status: str = "DEPLOYING"
    remote_deploy_status: str = "CREATED"
    undeployed_value: str = "UNDEPLOYED"
    group_goes_with_last_version: bool = True
    interface_nulls_remove: bool = True
    blank_id_undeploy_status: int = 404
    empty_connector_status: int = 400
    nameless_group_status: int = 400
    unknown_group_register_status: int = 404
    foreign_connector_update_fails: bool = False
    malformed_predict_fails: bool = False
    listed_parameters_fail: bool = False
    misread_texts_fail: bool = False
    texts_take_parameters: bool = False
    settings_api_is_called: str = "_cluster/setting"
    tokens_are_filtered: bool = True
    output_faults_wrapped: bool = False
    uncached_predict_fault_status: int | None = None
    missing_controller_reason: str = "Failed to find model controller with the provided model ID: {model_id}"
    missing_index_is_told: bool = False
    missing_index_fails: bool = False
    missing_index_breaks: frozenset[str] = frozenset()
    node_error_status: int = 400
    pooling_modes: frozenset[str] = frozenset(
        {"mean", "mean_sqrt_len", "max", "weightedmean", "cls", "lasttoken", "none"}
    )
    batch_jobs_are_asked_about: bool = False
    running_tasks_are_kept: bool = False
    profile_body_means_all: bool = True
    stats_are_by_node_alone: bool = True
    sync_interval_default: int = 10
    sync_interval_of_zero: int = 0
    restart_shows_undeployed: bool = True
    gone_document_status: int = 404
    redeploy_retries_are_bounded: bool = True
    register_keeps_is_enabled: bool = True
    disabled_is_noticed_at_first_use: bool = True
    disabled_is_noticed_late: float = 0.0
    number_out_of_range_status: int = 400

    read_roles: tuple[str, ...] = ("ml_read_access", "ml_readonly_access")

    # Users and access, on a secured cluster.
    passwords_are_checked: bool = True
    unauthorized_status: int = 401
    forbidden_status: int = 403
    refusals_change_nothing: bool = True
    refusals_name_nothing: bool = True
    read_role_only_reads: bool = True
    private_is_closed_to_roles: bool = True
    restricted_needs_a_shared_role: bool = True
    default_access: str = "private"
    given_roles_are_owned: bool = True
    access_is_changed_by_owner: bool = True
    owner_stays: bool = True
    new_versions_are_controlled: bool = True
    searches_hide_models: bool = True
    searches_hide_groups: bool = True
    searches_count_what_they_show: bool = True
    connectors_are_controlled: bool = True
    owner_keeps_restricted: bool = True
    group_delete_is_controlled: bool = True
    registered_group_is_controlled: bool = True
    group_found_by_name_is_controlled: bool = True
    several_undeploy_under_control: bool = True
    unknown_group_under_control_status: int = 404
    unknown_access_modes_refused: bool = True
    connectors_serve_their_users: bool = True
    user_limits_enforced: bool = True

    refused_connector_delete_status: int = 403
    refusal_outlives_request: bool = False
    stats_ask_for_indices: bool = False
    refused_profile_fails: bool = False

    # What later versions changed without a page that says so.
    update_forces_refresh: bool = False
    undeploy_marks_what_it_missed: bool = False
    undeploy_marks_what_others_have: bool = False
    later_flags: tuple[tuple[str, str], ...] = ()
    unknown_setting_error: str = "illegal_argument_exception"
    texts_are_checked: bool = False
    model_config_of_remote_models: bool = False
    method_order: tuple[str, ...] = ("POST", "PUT", "GET", "DELETE")
    interface_refusal_helps: bool = False
    interface_keeps_strings: bool = False
    empty_answer_names_status: bool = False
    group_update_moves_time: bool = False
    agent_types: frozenset[str] = frozenset({"FLOW", "CONVERSATIONAL", "CONVERSATIONAL_FLOW"})
    agent_name_limit: int | None = None
    agents_can_be_updated: bool = False
    agent_llm_interfaces: frozenset[str] | None = None
    agent_tools_have_attributes: bool = False

    # Registration.
    access_without_control: str = "public"
    first_version: int = 1
    models_tell_their_group: bool = True
    remote_models_show: str = "REMOTE"
    registrations_deploy: bool = False
    models_can_be_guardrails: bool = True

    # Deploy and undeploy.
    deploy_latency: float = 0.03
    deploys_finish: bool = True
    raced_deploy_fails: float = 0.0
    deploy_task_names_model: bool = True
    running_deploy_task_names_model: bool = True
    deploy_task_completes: bool = True
    node_ids_limit_deploy: bool = True
    custom_plan_needs_setting: bool = True
    undeploy_takes_effect: bool = True
    auto_deploy: bool = True
    auto_deploy_can_be_disabled: bool = True
    via_url_needs_setting: bool = True
    via_file_needs_setting: bool = True
    urls_are_trusted_by_setting: bool = True
    urls_are_trusted_by_default: bool = True
    local_models_can_be_disabled: bool = True
    registering_shows: bool = True
    deploy_reaches_all_nodes: bool = True
    worker_counts_are_true: bool = True
    weights_are_read: bool = True
    content_hash_is_checked: bool = True
    fetched_files_are_checked: bool = True
    failed_fetches_fail: bool = True
    chunks_are_kept: bool = True
    chunks_are_in_order: bool = True
    models_are_limited: bool = True
    deploy_tasks_are_limited: bool = True
    register_tasks_are_limited: bool = True
    heap_threshold_is_kept: bool = True
    native_threshold_is_kept: bool = True
    thresholds_are_graded: bool = True
    only_ml_nodes_is_kept: bool = True
    local_version_is_needed: bool = True
    config_is_needed: bool = True
    size_is_measured: bool = True
    meta_is_complete: bool = True
    later_chunk_replaces: bool = True
    deploying_model_is_kept: bool = True
    empty_texts_refused: bool = True
    register_task_completes: bool = True
    undeploy_frees_memory: bool = True
    restart_empties_memory: bool = True
    registrations_run: bool = True
    partly_deployed_serves: bool = True
    auto_redeploy: bool = True
    failed_deploy_is_kept: bool = False
    failed_deploy_outlives_delete: bool = False
    deleted_stays_in_memory: float = 0.0
    auto_deploy_is_seen_by_chance: bool = False
    late_copies: float = 0.0
    undeploy_meets_sync_up: float = 0.0
    undeploy_keeps_registrations: bool = True
    redeploys_after: float | None = None
    lost_models_fail: bool = False
    job_comes_first: float = 1.0
    failed_deploy_ends: bool = True
    failed_auto_deploy_ends: bool = True
    failed_calls_leave_model_usable: bool = True
    departures_are_noticed: bool = True
    returned_nodes_are_used: bool = True
    returned_nodes_unsettle: bool = False
    redeploys_are_limited: bool = True
    nodes_agree: bool = True
    every_node_serves: bool = True
    undeploy_reaches_other_nodes: bool = True

    # Time to live.
    ttl_checked: bool = True
    ttl_error_minutes: float = 0
    ttl_renewed_by_predict: bool = True
    ttl_renewed_by_read: bool = False

    # What uses models.
    pipelines_keep_models: bool = True

    # Delete.
    deployed_model_is_kept: bool = True
    delete_removes: bool = True
    delete_answers_seq_no: bool = True
    delete_tells_what_it_did: bool = True
    safe_delete_by_default: bool = False
    safe_delete_asks: frozenset[User] = frozenset(User)
    conflict_names_users: bool = True
    conflict_status: int = 409
    conflict_names_all_kinds: bool = True
    second_refusals_part_nodes: float = 0.0
    connectors_are_kept_by_id: bool = True

    # Requests at the same moment.
    group_write_is_conditional: bool = True

    # Update.
    update_stores_ttl: bool = True
    update_keeps_ttl: bool = True
    update_keeps_description: bool = True
    update_answers_seq_no: bool = True
    rejected_update_changes_nothing: bool = True
    deployed_connector_is_kept: bool = True

    # Predict.
    disabled_refuses_predict: bool = True
    rate_limit_enforced: bool = True
    rate_limit_units_known: frozenset[str] = frozenset(
        {"DAYS", "HOURS", "MICROSECONDS", "MILLISECONDS", "MINUTES", "NANOSECONDS", "SECONDS"}
    )
    interface_checked: bool = True

    # The wire.
    error_has_root_cause: bool = True
    errors_tell_stacks: bool = False
    errors_tell_classes: bool = False
    errors_tell_credentials: bool = False
    malformed_json_status: int = 400
    bodies_are_whole: bool = True
    content_type_is_true: bool = True


DOCUMENTED = Rules()
