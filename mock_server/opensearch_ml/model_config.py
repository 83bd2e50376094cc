"""Reading `model_config`: which members a model's configuration has, and which of them it must have.

The form depends on the function of the model, as far as the function was told before the configuration:
the parser streams. Later versions have a form of their own for remote models.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from enum import Enum

from mlconform.mock_server.opensearch_ml.bodies.fields import (
    BodyParser,
    Fields,
    flag_reader,
    read_in_order,
    text_reader,
)
from mlconform.mock_server.opensearch_ml.errors import illegal_argument
from mlconform.mock_server.opensearch_ml.prediction import gson
from mlconform.mock_server.opensearch_ml.rules import Rules
from mlconform.mock_server.opensearch_ml.store import JsonObject

FRAMEWORKS = ("sentence_transformers", "huggingface_transformers", "huggingface_transformers_neuron")


class Form(Enum):
    """What a configuration must tell beside the type of its model."""

    PLAIN = "nothing more"
    TEXT_EMBEDDING = "dimension and framework"
    REMOTE = "what a text embedding needs, where it is of one"


def form_of(function: str | None, rules: Rules) -> Form:
    """The form for a model of this function, which is None where it was not told yet."""
    if function == "QUESTION_ANSWERING":
        return Form.PLAIN
    if not rules.model_config_of_remote_models:
        return Form.TEXT_EMBEDDING
    return {"TEXT_EMBEDDING": Form.TEXT_EMBEDDING, "REMOTE": Form.REMOTE}.get(function or "", Form.PLAIN)


def read_model_config(fields: Fields, form: Form, rules: Rules) -> JsonObject | None:
    """`model_config` as it is shown; members that are not known are left out. Raises ApiError 400."""
    config = fields.object("model_config")
    if config is None:
        return None
    sent = read_in_order(config, _readers(rules))
    shown = {name: value for name, value in sent.items() if value is not False}
    if "model_type" not in shown:
        raise illegal_argument("model type is null")
    if form is Form.TEXT_EMBEDDING:
        _require(shown, "embedding dimension is null", "framework type is null")
    _refuse_told_twice(shown)
    if form is Form.REMOTE and shown["model_type"].lower() == "text_embedding":
        check_remote_text_embedding(shown)
    return shown


def _readers(rules: Rules) -> dict[str, Callable[[Fields], object]]:
    return {
        **{
            name: text_reader(name) for name in ("model_type", "all_config", "query_prefix", "passage_prefix")
        },
        "embedding_dimension": lambda config: config.integer("embedding_dimension"),
        "model_max_length": lambda config: config.integer("model_max_length"),
        "normalize_result": flag_reader("normalize_result"),
        "framework_type": lambda config: _constant(config, "framework_type", FRAMEWORKS, "framework type"),
        "pooling_mode": lambda config: _constant(
            config, "pooling_mode", rules.pooling_modes, "pooling method"
        ),
        **({"additional_config": _additional} if rules.model_config_of_remote_models else {}),
    }


def _additional(config: Fields) -> JsonObject:
    members = config.mapping("additional_config", BodyParser.MODEL_CONFIG)
    return {} if members is None else members.values


def _constant(config: Fields, name: str, known: Container[str], told: str) -> str:
    text = config.text(name) or ""
    if text.lower() not in known:
        raise illegal_argument(f"Wrong {told}")
    return text.upper()


def _require(shown: JsonObject, no_dimension: str, no_framework: str) -> None:
    for name, refusal in (("embedding_dimension", no_dimension), ("framework_type", no_framework)):
        if name not in shown:
            raise illegal_argument(refusal)


def check_remote_text_embedding(shown: JsonObject) -> None:
    """Raises ApiError 400 where the configuration of a remote text embedding is not whole."""
    of = "must be provided for remote text embedding model"
    _require(shown, f"Embedding dimension {of}", f"Framework type {of}")
    if "space_type" not in (shown.get("additional_config") or {}):
        raise illegal_argument(
            "Space type must be provided in additional_config for remote text embedding model"
        )


def check_local_text_embedding(shown: JsonObject) -> None:
    """Raises ApiError 400 where the configuration of a text embedding on the nodes is not whole."""
    _require(shown, "Embedding dimension is null", "Framework type is null")


def _refuse_told_twice(shown: JsonObject) -> None:
    """`all_config` and `additional_config` may not name the same things."""
    try:
        told = gson.read(shown.get("all_config", "{}"))
    except ValueError:
        return
    names = told if isinstance(told, dict) else {}
    twice = [name for name in names if name in shown.get("additional_config", {})]
    if twice:
        reason = "Duplicate keys found in both all_config and additional_config: "
        raise illegal_argument(reason + ", ".join(twice))


def merged(old: JsonObject | None, new: JsonObject) -> JsonObject:
    """A configuration after an update: what was not sent stays, inside `additional_config` too."""
    result = {**(old or {}), **new}
    additional = {**(old or {}).get("additional_config", {}), **new.get("additional_config", {})}
    return {**result, "additional_config": additional} if additional else result
