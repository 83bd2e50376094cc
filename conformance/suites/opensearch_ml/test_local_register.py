"""Local models that are registered by URL: page register-model, on custom models."""

from __future__ import annotations

import pytest

from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.local_models import CONFIG, NOBODY, LocalModels, unsuccessful
from mlconform.conformance.targets import model_file
from mlconform.conformance.targets.endpoint import FileName

pytestmark = exclusive

NEEDED = ("name", "version", "model_format", "model_content_hash_value", "url")
IN_CONFIG = ("model_type", "embedding_dimension", "framework_type")


@requirement("osml.register.custom", "osml.register.field.url")
def test_by_url_and_config(local: LocalModels, expect: Expect) -> None:
    model = local.model()
    task = local.ended(local.register(local.url_body()))
    expect.equal("osml.register.custom", task.member("state"), "COMPLETED", "state of the task")
    read = local.ml.get(str(task.member("model_id")))
    config = read.member("model_config")
    kept = isinstance(config, dict) and config.get("model_type") == "bert"
    expect.that(
        "osml.register.custom",
        kept,
        expected="a model with its model_config",
        came=read.summary,
        exchange=read,
    )
    read = local.ml.get(model)
    expect.equal("osml.register.field.url", read.member("model_state"), "REGISTERED", "model_state")
    size = read.member("model_content_size_in_bytes")
    expect.equal("osml.register.field.url", size, model_file.small().size, "size of the model at the URL")
    expect.equal("osml.register.field.url", read.member("total_chunks"), 1, "total_chunks")


@requirement("osml.register.chunks")
def test_a_large_model_has_chunks(local: LocalModels, expect: Expect) -> None:
    model = local.model(FileName.LARGE)
    read = local.ml.get(model)
    chunks = -(-model_file.large().size // model_file.LARGEST_CHUNK_BYTES)
    expect.equal("osml.register.chunks", read.member("total_chunks"), chunks, "total_chunks")
    local.ml.bring_up(model)
    expect.accepted("osml.register.chunks", local.predict(model))


@pytest.mark.parametrize("field", NEEDED)
@requirement("osml.register.custom.fields-needed")
def test_a_field_is_missing(local: LocalModels, expect: Expect, field: str) -> None:
    local.model()
    body = {name: value for name, value in local.url_body().items() if name != field}
    ended = local.ended(local.register(body))
    unsuccessful(expect, "osml.register.custom.fields-needed", ended, f"no {field}")


@requirement("osml.register.custom.fields-needed")
def test_the_configuration_is_missing(local: LocalModels, expect: Expect) -> None:
    # Of a model that makes embeddings: the page on sparse ones knows no configuration.
    local.let_in()
    body = local.url_body(function_name="TEXT_EMBEDDING", model_config=None)
    expect.client_error("osml.register.custom.fields-needed", local.register(body))


@pytest.mark.parametrize("field", IN_CONFIG)
@requirement("osml.register.custom.fields-needed")
def test_a_field_of_the_configuration_is_missing(local: LocalModels, expect: Expect, field: str) -> None:
    local.let_in()
    config = {name: value for name, value in CONFIG.items() if name != field}
    body = local.url_body(function_name="TEXT_EMBEDDING", model_config=config)
    expect.client_error("osml.register.custom.fields-needed", local.register(body))


@requirement("osml.register.size")
def test_another_size_and_number_of_chunks(local: LocalModels, expect: Expect) -> None:
    read = local.ml.get(local.model(model_content_size_in_bytes=7, total_chunks=7))
    told = [read.member(name) for name in ("model_content_size_in_bytes", "total_chunks")]
    expect.equal("osml.register.size", told, [model_file.small().size, 1], "size and total_chunks")


@requirement("osml.register.custom.format")
def test_a_format_that_is_none(local: LocalModels, expect: Expect) -> None:
    local.let_in()
    expect.client_error("osml.register.custom.format", local.register(local.url_body(model_format="PICKLE")))


@requirement("osml.register.custom.hash")
def test_another_hash(local: LocalModels, expect: Expect) -> None:
    local.model()
    other = model_file.large().sha256
    ended = local.ended(local.register(local.url_body(model_content_hash_value=other)))
    unsuccessful(expect, "osml.register.custom.hash", ended, "the hash of another file")


@pytest.mark.parametrize(
    "file", [FileName.GONE, FileName.CUT_OFF, FileName.NO_ZIP, FileName.WITHOUT_TOKENIZER]
)
@requirement("osml.register.custom.url")
def test_no_model_at_the_address(local: LocalModels, expect: Expect, file: FileName) -> None:
    local.model()
    ended = local.ended(local.register(local.url_body(file)))
    unsuccessful(expect, "osml.register.custom.url", ended, f"no model at its URL: {file}")


@requirement("osml.register.custom.url")
def test_nobody_at_the_address(local: LocalModels, expect: Expect) -> None:
    local.model()
    ended = local.ended(local.register(local.url_body(url=NOBODY)))
    unsuccessful(expect, "osml.register.custom.url", ended, "nobody at its URL")
