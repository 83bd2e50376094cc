"""Ingest and search pipelines, which are OpenSearch's own, as far as a definition is checked when put.

The order of the checks and their reasons are those of OpenSearch 2.19.0, seen on a node; those of
`ml_inference` are told by the source of ML Commons.
"""

from __future__ import annotations

import fnmatch
from typing import Any

from mlconform.mock_server.opensearch_ml.cluster import Answer, Call
from mlconform.mock_server.opensearch_ml.errors import (
    ApiError,
    illegal_argument,
    java_class,
    null_pointer,
    parse_error,
    wrong_class,
)
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import JsonObject

INFERENCE = "ml_inference"
_SEARCH_LISTS = ("request_processors", "response_processors", "phase_results_processors")
_PLAIN_INGEST = (
    *(
        "bytes",
        "community_id",
        "convert",
        "copy",
        "csv",
        "date",
        "date_index_name",
        "dissect",
        "dot_expander",
    ),
    *(
        "dot_expander",
        "fail",
        "fingerprint",
        "foreach",
        "grok",
        "html_strip",
        "join",
        "json",
        "kv",
        "pipeline",
    ),
    *("remove_by_pattern", "script", "sort", "split", "text_chunking", "text_image_embedding"),
)
_PLAIN_SEARCH = (
    *("collapse", "filter_query", "hierarchical_routing_aggregation", "neural_query_enricher"),
    *("neural_sparse_two_phase_processor", "normalization-processor", "oversample"),
    *("personalize_search_ranking", "rerank", "retrieval_augmented_generation", "script", "sort", "split"),
    "truncate_hits",
)
_REQUIRED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_PLAIN_INGEST, ()),
    **dict.fromkeys(("lowercase", "uppercase", "trim", "urldecode", "gsub", "remove"), ("field",)),
    "set": ("field", "value"),
    "append": ("field", "value"),
    "rename": ("field", "target_field"),
    "text_embedding": ("model_id",),
    "sparse_encoding": ("model_id",),
    INFERENCE: ("model_id",),
}
_SEARCH_REQUIRED: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_PLAIN_SEARCH, ()),
    "rename_field": ("field", "target_field"),
    INFERENCE: ("model_id",),
}
_SET_MEMBERS = frozenset({"field", "value", "override", "ignore_empty_value", "media_type", "copy_from"})
_UNSUPPORTED = " doesn't support one or more provided configuration parameters"
_COMMON_MEMBERS = frozenset({"tag", "description", "if", "ignore_failure", "on_failure"})


def put_ingest_pipeline(call: Call) -> Answer:
    """PUT /_ingest/pipeline/{pipeline_id}."""
    definition, name = _definition(call), call.parameters["pipeline_id"]
    _check_head(definition)
    _check_ingest(_list(definition, "processors", required=True) or [])
    on_failure = _list(definition, "on_failure")
    _check_ingest(on_failure or [])
    _refuse_members(name, definition, ("description", "version", "processors", "on_failure"))
    if on_failure == []:
        raise parse_error(f"pipeline [{name}] cannot have an empty on_failure option defined")
    call.cluster.store.ingest_pipelines[name] = _kept(definition, call.cluster.rules)
    return Answer({"acknowledged": True})


def _kept(definition: JsonObject, rules: Rules) -> JsonObject:
    """An ingest pipeline as it is kept: as it came, unless the rules lose the models that it uses."""
    if rules.pipelines_keep_models:
        return definition
    processors = [
        {
            kind: {name: value for name, value in config.items() if name != "model_id"}
            for kind, config in each.items()
        }
        for each in definition["processors"]
    ]
    return {**definition, "processors": processors}


def put_search_pipeline(call: Call) -> Answer:
    """PUT /_search/pipeline/{pipeline_id}."""
    definition, name = _definition(call), call.parameters["pipeline_id"]
    _check_head(definition)
    for member in _SEARCH_LISTS:
        for processor in _list(definition, member) or []:
            for kind, config in _entries(processor):
                _check_search_processor(kind, config)
    _refuse_members(name, definition, ("description", "version", *_SEARCH_LISTS))
    call.cluster.store.search_pipelines[name] = definition
    return Answer({"acknowledged": True})


def get_ingest_pipeline(call: Call) -> Answer:
    """GET /_ingest/pipeline and GET /_ingest/pipeline/{pipeline_id}."""
    return _get(call, call.cluster.store.ingest_pipelines)


def get_search_pipeline(call: Call) -> Answer:
    """GET /_search/pipeline and GET /_search/pipeline/{pipeline_id}."""
    return _get(call, call.cluster.store.search_pipelines)


def delete_ingest_pipeline(call: Call) -> Answer:
    """DELETE /_ingest/pipeline/{pipeline_id}."""
    return _delete(call, call.cluster.store.ingest_pipelines)


def delete_search_pipeline(call: Call) -> Answer:
    """DELETE /_search/pipeline/{pipeline_id}."""
    return _delete(call, call.cluster.store.search_pipelines)


def _get(call: Call, pipelines: dict[str, JsonObject]) -> Answer:
    """The pipelines asked for; where there is none, even to a pattern, the answer is 404."""
    patterns = call.parameters.get("pipeline_id", "*").split(",")
    found = {
        name: definition
        for name, definition in pipelines.items()
        if any(_matches(pattern, name) for pattern in patterns)
    }
    return Answer(found, 200 if found else 404)


def _delete(call: Call, pipelines: dict[str, JsonObject]) -> Answer:
    """One pipeline or the pattern of several; a list of names is one name here."""
    wanted = call.parameters["pipeline_id"]
    found = [name for name in pipelines if _matches(wanted, name)]
    if not found and wanted != "*":
        raise ApiError(404, "resource_not_found_exception", f"pipeline [{wanted}] is missing")
    for name in found:
        del pipelines[name]
    return Answer({"acknowledged": True})


def _matches(pattern: str, name: str) -> bool:
    return name == pattern or ("*" in pattern and fnmatch.fnmatchcase(name, pattern))


def _definition(call: Call) -> JsonObject:
    if call.document.missing:
        raise parse_error("request body or source parameter is required")
    return call.map()


def _check_head(definition: JsonObject) -> None:
    _text(definition, "description")
    version = definition.get("version")
    if version is None:
        return
    try:
        int(str(version))
    except ValueError:
        raise _refusal(f"[version] property cannot be converted to an int [{version}]", "version") from None


def _check_ingest(processors: list[Any]) -> None:
    """Every processor is looked at; the first refusal is told, with the others beside it."""
    refusals = []
    for processor in processors:
        for kind, config in _entries(processor):
            try:
                _check_ingest_processor(kind, config)
            except ApiError as error:
                refusals.append(error)
    if not refusals:
        return
    first, *others = refusals
    if others:
        told = [{"type": error.type, "reason": error.reason, **error.extra} for error in others]
        first.extra = {**first.extra, "suppressed": told}
    raise first


def _check_ingest_processor(kind: str, config: Any) -> None:
    if config is None:
        raise _refusal(f"the config of processor [{kind}] cannot be null", kind=kind)
    if not isinstance(config, dict):
        if kind == "script" and isinstance(config, str):
            return
        raise _refusal(f"property isn't a map, but of type [{java_class(config)}]", kind=kind)
    if kind not in _REQUIRED:
        raise _refusal(f"No processor type exists with name [{kind}]", kind=kind)
    _check_ingest(_list(config, "on_failure", kind) or [])
    _check_members(kind, config, _REQUIRED[kind])
    unknown = sorted(set(config) - _SET_MEMBERS - _COMMON_MEMBERS) if kind == "set" else []
    if unknown:
        raise _refusal(f"processor [{kind}]{_UNSUPPORTED} [{', '.join(unknown)}]", kind=kind)


def _check_search_processor(kind: str, config: Any) -> None:
    if kind not in _SEARCH_REQUIRED:
        raise illegal_argument(f"Invalid processor type {kind}")
    if not isinstance(config, dict):
        raise wrong_class(config, "java.util.Map")
    if kind == "filter_query":
        if "query" not in config:
            raise illegal_argument("Did not specify the query property in processor of type filter_query")
        _typed(config, "query", dict, "a map", kind)
    _check_members(kind, config, _SEARCH_REQUIRED[kind])
    unknown = sorted(set(config) - {"query"} - _COMMON_MEMBERS) if kind == "filter_query" else []
    if unknown:
        raise parse_error(f"processor [{kind}]{_UNSUPPORTED}: [{', '.join(unknown)}]")


def _check_members(kind: str, config: JsonObject, required: tuple[str, ...]) -> None:
    for name in required:
        if config.get(name) is None:
            raise _refusal(f"[{name}] required property is missing", name, kind)
        if name != "value":
            _text(config, name, kind)
    if kind == INFERENCE:
        _check_inference(config)


def _check_inference(config: JsonObject) -> None:
    """A local model needs its input told; as many outputs as inputs, and no more than tasks allowed."""
    _text(config, "function_name", INFERENCE)
    if (config.get("function_name") or "remote").lower() != "remote" and config.get("model_input") is None:
        raise illegal_argument(
            "Please provide model input when using a local model in ML Inference Processor"
        )
    inputs, outputs = _list(config, "input_map", INFERENCE), _list(config, "output_map", INFERENCE)
    allowed = config.get("max_prediction_tasks", 10)
    if inputs is not None and isinstance(allowed, int) and len(inputs) > allowed:
        raise illegal_argument(
            f"The number of prediction task setting in this process is {len(inputs)}. It exceeds the "
            f"max_prediction_tasks of {allowed}. Please reduce the size of input_map or increase "
            "max_prediction_tasks."
        )
    if inputs is not None and outputs is not None and len(inputs) != len(outputs):
        raise illegal_argument("The length of output_map and the length of input_map do no match.")


def _entries(processor: Any) -> list[tuple[str, Any]]:
    """The processors that one item of a list names, which may be several."""
    if processor is None:
        raise null_pointer("java.util.Map.entrySet()", "processorConfigWithKey")
    if not isinstance(processor, dict):
        raise wrong_class(processor, "java.util.Map")
    return list(processor.items())


def _list(
    holder: JsonObject, name: str, kind: str | None = None, *, required: bool = False
) -> list[Any] | None:
    if required and holder.get(name) is None:
        raise _refusal(f"[{name}] required property is missing", name, kind)
    items: list[Any] | None = _typed(holder, name, list, "a list", kind)
    return items


def _text(holder: JsonObject, name: str, kind: str | None = None) -> None:
    _typed(holder, name, str, "a string", kind)


def _typed(holder: JsonObject, name: str, wanted: type, told: str, kind: str | None) -> Any:
    value = holder.get(name)
    if value is not None and not isinstance(value, wanted):
        raise _refusal(f"[{name}] property isn't {told}, but of type [{java_class(value)}]", name, kind)
    return value


def _refusal(reason: str, name: str | None = None, kind: str | None = None) -> ApiError:
    where = {"processor_type": kind, "property_name": name}
    told = {member: value for member, value in where.items() if value is not None}
    return ApiError(400, "parse_exception", reason, told)


def _refuse_members(name: str, definition: JsonObject, known: tuple[str, ...]) -> None:
    unknown = [member for member in definition if member not in known]
    if unknown:
        raise parse_error(f"pipeline [{name}]{_UNSUPPORTED} [{', '.join(unknown)}]")
