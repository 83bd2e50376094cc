"""The table of operations."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from mlconform.mock_server.opensearch_ml import (
    agents,
    connectors,
    controllers,
    deploy,
    model_groups,
    model_upload,
    models,
    registration,
    runtime,
    stats,
    tasks,
    tools,
    update,
)
from mlconform.mock_server.opensearch_ml.cluster import Handler
from mlconform.mock_server.opensearch_ml.first_use import before_first
from mlconform.mock_server.opensearch_ml.opensearch_core import (
    cluster_info,
    cluster_settings,
    indices,
    pipelines,
)
from mlconform.mock_server.opensearch_ml.prediction import predict, training
from mlconform.mock_server.opensearch_ml.router import Route
from mlconform.mock_server.opensearch_ml.search import operation

ML = "/_plugins/_ml"
_SEARCH = frozenset({"source", "source_content_type"})
_PROFILE = frozenset({"view"})
_MANAGER = frozenset({"master_timeout", "cluster_manager_timeout"})
_TIMEOUTS = _MANAGER | {"timeout"}
_DOCUMENT = frozenset({"refresh", "timeout", "routing", "pipeline"})
_EXPANSION = frozenset({"ignore_unavailable", "allow_no_indices", "expand_wildcards"})
_SOURCE = ("mapper_parsing_exception", "failed to parse")
_MAP = ("parse_exception", "Failed to parse content to map")
_CAT = frozenset({"h", "v", "s", "local", "help", "full_id", "master_timeout", "cluster_manager_timeout"})


def _searches(kind: str, handler: Handler) -> tuple[Route, Route]:
    """The search of one kind of resource, by both of its methods."""
    path, action = f"{ML}/{kind}/_search", f"{kind}/search"
    return (
        Route("POST", path, handler, action, _SEARCH, form=operation.form),
        Route("GET", path, handler, action, _SEARCH, form=operation.form),
    )


_ROUTES = (
    Route(
        "POST", f"{ML}/connectors/_create", connectors.create, "create_connector", form=connectors.read_new
    ),
    *_searches("connectors", connectors.find_all),
    Route(
        "PUT",
        f"{ML}/connectors/{{connector_id}}",
        connectors.update,
        "connectors/update",
        form=connectors.read_changes,
    ),
    Route("GET", f"{ML}/connectors/{{connector_id}}", connectors.get, "connectors/get"),
    Route("DELETE", f"{ML}/connectors/{{connector_id}}", connectors.delete, "connectors/delete"),
    Route(
        "POST",
        f"{ML}/model_groups/_register",
        model_groups.register,
        "register_model_group",
        form=model_groups.form,
    ),
    *_searches("model_groups", model_groups.find_all),
    Route("PUT", f"{ML}/model_groups/{{model_group_id}}", model_groups.update, "update_model_group"),
    Route("GET", f"{ML}/model_groups/{{model_group_id}}", model_groups.get, "model_groups/get"),
    Route("DELETE", f"{ML}/model_groups/{{model_group_id}}", model_groups.delete, "model_groups/delete"),
    Route(
        "POST",
        f"{ML}/models/_register",
        registration.register,
        "register_model",
        frozenset({"deploy"}),
        form=registration.form,
    ),
    Route(
        "POST",
        f"{ML}/models/_register_meta",
        model_upload.register_meta,
        "register_model_meta",
        form=model_upload.read_meta,
    ),
    Route(
        "POST",
        f"{ML}/models/meta",
        model_upload.register_meta,
        "register_model_meta",
        form=model_upload.read_meta,
    ),
    Route(
        "POST",
        f"{ML}/models/{{model_id}}/upload_chunk/{{chunk}}",
        model_upload.upload_chunk,
        "upload_model_chunk",
        raw=True,
        form=model_upload.read_number,
    ),
    Route(
        "POST",
        f"{ML}/models/{{model_id}}/chunk/{{chunk}}",
        model_upload.upload_chunk,
        "upload_model_chunk",
        raw=True,
        form=model_upload.read_number,
    ),
    *_searches("models", models.find_all),
    Route("POST", f"{ML}/models/_undeploy", deploy.undeploy, "undeploy_models"),
    Route("PUT", f"{ML}/models/{{model_id}}", update.update, "models/update", form=update.form),
    Route("GET", f"{ML}/models/{{model_id}}", models.get, "models/get", frozenset({"return_content"})),
    Route("DELETE", f"{ML}/models/{{model_id}}", models.delete, "models/delete"),
    Route("POST", f"{ML}/models/{{model_id}}/_deploy", deploy.deploy, "deploy_model"),
    Route("POST", f"{ML}/models/{{model_id}}/_undeploy", deploy.undeploy, "undeploy_models"),
    Route("POST", f"{ML}/models/{{model_id}}/_predict", predict.predict, "predict", form=predict.form),
    Route(
        "POST",
        f"{ML}/models/{{model_id}}/_batch_predict",
        predict.batch_predict,
        "predict",
        form=predict.form,
    ),
    Route("POST", f"{ML}/_predict/{{algorithm}}/{{model_id}}", predict.predict, "predict", form=predict.form),
    Route("POST", f"{ML}/_train/{{algorithm}}", training.train, "train", frozenset({"async"})),
    *_searches("tasks", tasks.find_all),
    Route("GET", f"{ML}/tasks/{{task_id}}", tasks.get, "tasks/get"),
    Route("DELETE", f"{ML}/tasks/{{task_id}}", tasks.delete, "tasks/delete"),
    Route("POST", f"{ML}/tasks/{{task_id}}/_cancel_batch", tasks.cancel_batch, "tasks/cancel"),
    Route("POST", f"{ML}/agents/_register", agents.register, "agents/register"),
    *_searches("agents", agents.find_all),
    Route("GET", f"{ML}/agents/{{agent_id}}", agents.get, "agents/get"),
    Route("PUT", f"{ML}/agents/{{agent_id}}", agents.update, "agents/update", later=True),
    Route("DELETE", f"{ML}/agents/{{agent_id}}", agents.delete, "agents/delete"),
    Route("POST", f"{ML}/controllers/{{model_id}}", controllers.create, "controllers/create"),
    Route("PUT", f"{ML}/controllers/{{model_id}}", controllers.update, "controllers/update"),
    Route("GET", f"{ML}/controllers/{{model_id}}", controllers.get, "controllers/get"),
    Route("DELETE", f"{ML}/controllers/{{model_id}}", controllers.delete, "controllers/delete"),
    Route("GET", f"{ML}/tools", tools.find_all, "tools/list"),
    Route("GET", f"{ML}/profile", runtime.profile, None, _PROFILE),
    Route("GET", f"{ML}/profile/models", runtime.profile_models, None, _PROFILE),
    Route("GET", f"{ML}/profile/models/{{model_id}}", runtime.profile_models, None, _PROFILE),
    Route("GET", f"{ML}/profile/tasks", runtime.profile_tasks, None, _PROFILE),
    Route("GET", f"{ML}/profile/tasks/{{task_id}}", runtime.profile_tasks, None, _PROFILE),
    Route("GET", f"{ML}/stats", stats.stats, None),
    Route("GET", f"{ML}/stats/{{stat}}", stats.stats, None),
    Route("GET", f"{ML}/{{node_id}}/stats", stats.stats, None),
    Route("GET", f"{ML}/{{node_id}}/stats/{{stat}}", stats.stats, None),
    Route(
        "GET",
        "/_ingest/pipeline",
        pipelines.get_ingest_pipeline,
        "cluster:admin/ingest/pipeline/get",
        _MANAGER,
    ),
    Route(
        "PUT",
        "/_ingest/pipeline/{pipeline_id}",
        pipelines.put_ingest_pipeline,
        "cluster:admin/ingest/pipeline/put",
        _TIMEOUTS,
        _MAP,
    ),
    Route(
        "GET",
        "/_ingest/pipeline/{pipeline_id}",
        pipelines.get_ingest_pipeline,
        "cluster:admin/ingest/pipeline/get",
        _MANAGER,
    ),
    Route(
        "DELETE",
        "/_ingest/pipeline/{pipeline_id}",
        pipelines.delete_ingest_pipeline,
        "cluster:admin/ingest/pipeline/delete",
        _TIMEOUTS,
    ),
    Route(
        "GET",
        "/_search/pipeline",
        pipelines.get_search_pipeline,
        "cluster:admin/search/pipeline/get",
        _MANAGER,
    ),
    Route(
        "PUT",
        "/_search/pipeline/{pipeline_id}",
        pipelines.put_search_pipeline,
        "cluster:admin/search/pipeline/put",
        _TIMEOUTS,
        _MAP,
    ),
    Route(
        "GET",
        "/_search/pipeline/{pipeline_id}",
        pipelines.get_search_pipeline,
        "cluster:admin/search/pipeline/get",
        _MANAGER,
    ),
    Route(
        "DELETE",
        "/_search/pipeline/{pipeline_id}",
        pipelines.delete_search_pipeline,
        "cluster:admin/search/pipeline/delete",
        _TIMEOUTS,
    ),
    Route(
        "GET",
        "/_cluster/settings",
        cluster_settings.get,
        "cluster:monitor/state",
        _MANAGER | {"flat_settings", "include_defaults", "local"},
    ),
    Route(
        "PUT",
        "/_cluster/settings",
        cluster_settings.put,
        "cluster:admin/settings/update",
        _TIMEOUTS | {"flat_settings"},
    ),
    Route(
        "GET",
        "/_cluster/health",
        cluster_info.health,
        "cluster:monitor/health",
        _TIMEOUTS | {"wait_for_status", "local", "level"},
    ),
    Route("GET", "/_nodes", cluster_info.nodes, "cluster:monitor/nodes/info", _TIMEOUTS | {"flat_settings"}),
    Route(
        "GET",
        "/_nodes/{what}",
        cluster_info.nodes,
        "cluster:monitor/nodes/info",
        _TIMEOUTS | {"flat_settings"},
    ),
    Route(
        "GET",
        "/_nodes/{node_id}/{what}",
        cluster_info.nodes,
        "cluster:monitor/nodes/info",
        _TIMEOUTS | {"flat_settings"},
    ),
    Route("GET", "/_cat/plugins", cluster_info.cat_plugins, "cluster:monitor/state", _CAT),
    Route("GET", "/_cat/indices", cluster_info.cat_indices, "indices:monitor/settings/get", _CAT),
    Route("GET", "/_cat/nodes", cluster_info.cat_nodes, "cluster:monitor/state", _CAT),
    Route("GET", "/{index}", indices.get, "indices:admin/get", _TIMEOUTS | _EXPANSION),
    Route("HEAD", "/{index}", indices.get, "indices:admin/get", _TIMEOUTS | _EXPANSION),
    Route("PUT", "/{index}", indices.create, "indices:admin/create", _TIMEOUTS, _MAP),
    Route("DELETE", "/{index}", indices.delete, "indices:admin/delete", _TIMEOUTS | _EXPANSION),
    Route("POST", "/{index}/_doc", indices.put_document, "indices:data/write/index", _DOCUMENT, _SOURCE),
    Route(
        "PUT",
        "/{index}/_doc/{document_id}",
        indices.put_document,
        "indices:data/write/index",
        _DOCUMENT,
        _SOURCE,
    ),
    Route(
        "POST",
        "/{index}/_doc/{document_id}",
        indices.put_document,
        "indices:data/write/index",
        _DOCUMENT,
        _SOURCE,
    ),
    Route(
        "PUT",
        "/{index}/_create/{document_id}",
        indices.create_document,
        "indices:data/write/index",
        _DOCUMENT,
        _SOURCE,
    ),
    Route(
        "POST",
        "/{index}/_create/{document_id}",
        indices.create_document,
        "indices:data/write/index",
        _DOCUMENT,
        _SOURCE,
    ),
    Route(
        "GET",
        "/{index}/_doc/{document_id}",
        indices.get_document,
        "indices:data/read/get",
        _DOCUMENT | {"_source"},
    ),
    Route(
        "HEAD",
        "/{index}/_doc/{document_id}",
        indices.get_document,
        "indices:data/read/get",
        _DOCUMENT | {"_source"},
    ),
    Route(
        "DELETE",
        "/{index}/_doc/{document_id}",
        indices.delete_document,
        "indices:data/write/delete",
        _DOCUMENT,
    ),
    Route("GET", "/{index}/_search", indices.search, "indices:data/read/search", _SEARCH | _EXPANSION),
    Route("POST", "/{index}/_search", indices.search, "indices:data/read/search", _SEARCH | _EXPANSION),
    Route("GET", "/{index}/_refresh", indices.refresh, "indices:admin/refresh", _EXPANSION),
    Route("POST", "/{index}/_refresh", indices.refresh, "indices:admin/refresh", _EXPANSION),
    Route("GET", "/", cluster_info.main_page, "cluster:monitor/main"),
    Route("HEAD", "/", cluster_info.main_page, "cluster:monitor/main"),
)

_OLD_NAMES = {"_register": "_upload", "_deploy": "_load", "_undeploy": "_unload"}


def _by_old_names(routes: tuple[Route, ...]) -> Iterator[Route]:
    """The operations of models under the names that they had first, which nodes still know them by."""
    for route in routes:
        rest, _, last = route.template.rpartition("/")
        if last in _OLD_NAMES and rest.startswith(f"{ML}/models"):
            yield replace(route, template=f"{rest}/{_OLD_NAMES[last]}")


ROUTES = tuple(
    replace(route, handler=before_first(route.handler)) for route in (*_ROUTES, *_by_old_names(_ROUTES))
)
