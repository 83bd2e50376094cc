"""Models that a client uploads chunk by chunk: recorded, and behind a setting of page cluster-settings."""

from __future__ import annotations

import pytest

from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.marks import exclusive, requirement
from mlconform.conformance.suites.opensearch_ml.local_models import VIA_FILE, LocalModels
from mlconform.conformance.targets import model_file
from mlconform.conformance.targets.exchange import Exchange

pytestmark = exclusive

FIRST, SECOND = model_file.small().chunks(2)


@requirement("osml.settings.allow-local-file")
def test_local_files_not_allowed(local: LocalModels, expect: Expect) -> None:
    local.let_in()
    model = local.announced()
    before = local.set({VIA_FILE: False})
    refused = [local.register_meta(local.meta_body()), local.upload_chunk(model, 0, FIRST)]
    local.set(before)
    for answered in refused:
        expect.client_error("osml.settings.allow-local-file", answered)
    expect.accepted("osml.settings.allow-local-file", local.register_meta(local.meta_body()))


class TestMeta:
    @requirement("osml.get.state.registering", "osml.upload.announced")
    def test_a_model_whose_chunks_are_still_to_come(self, local: LocalModels, expect: Expect) -> None:
        read = local.ml.get(local.announced())
        state = read.member("model_state")
        expect.equal("osml.get.state.registering", state, "REGISTERING", "model_state before the first chunk")
        told = [read.member(name) for name in ("total_chunks", "model_content_size_in_bytes")]
        expect.equal(
            "osml.upload.announced", told, [2, model_file.small().size], "total_chunks and size of the model"
        )
        digest = read.member("model_content_hash_value")
        expect.equal("osml.upload.announced", digest, model_file.small().sha256, "hash of the model")

    @pytest.mark.parametrize(
        "field", ["name", "function_name", "model_format", "model_content_hash_value", "total_chunks"]
    )
    @requirement("osml.upload.fields-needed")
    def test_a_field_is_missing(self, local: LocalModels, expect: Expect, field: str) -> None:
        local.let_in()
        body = {name: value for name, value in local.meta_body().items() if name != field}
        expect.client_error("osml.upload.fields-needed", local.register_meta(body))

    @pytest.mark.parametrize("field", ["version", "model_content_size_in_bytes", "description"])
    @requirement("osml.upload.fields-optional")
    def test_a_field_is_left_out(self, local: LocalModels, expect: Expect, field: str) -> None:
        local.let_in()
        body = {name: value for name, value in local.meta_body().items() if name != field}
        expect.accepted("osml.upload.fields-optional", local.register_meta(body))

    @requirement("osml.delete.gone", "osml.upload.unknown-model")
    def test_the_model_is_deleted_before_its_chunks_come(self, local: LocalModels, expect: Expect) -> None:
        model = local.announced()
        expect.accepted("osml.delete.gone", local.ml.delete(model))
        expect.equal("osml.delete.gone", local.ml.state(model), "absent", "the model")
        answered = local.upload_chunk(model, 0, FIRST)
        # That it is no fault of the server is osml.wire.no-server-error.
        expect.refused(
            "osml.upload.unknown-model", answered, "a refusal of a chunk of a model that is not there"
        )


class TestChunks:
    @requirement("osml.upload.chunks")
    def test_two_in_their_order(self, local: LocalModels, expect: Expect) -> None:
        model = local.announced()
        for number, content in enumerate((FIRST, SECOND)):
            expect.accepted("osml.upload.chunks", local.upload_chunk(model, number, content))
        settled = local.ml.settle_state(model, "REGISTERED")
        expect.settles("osml.upload.chunks", settled, "REGISTERED", "model_state after the last chunk")
        ended = local.deploy(model)
        expect.equal("osml.upload.chunks", ended.member("state"), "COMPLETED", "state of the deploy task")
        expect.accepted("osml.upload.chunks", local.predict(model))

    @requirement("osml.upload.any-order")
    def test_the_last_comes_first(self, local: LocalModels, expect: Expect) -> None:
        ended = _deployed(local, {1: SECOND, 0: FIRST})
        expect.equal("osml.upload.any-order", ended.member("state"), "COMPLETED", "state of the deploy task")

    @pytest.mark.parametrize("sent", [{0: FIRST}, {0: SECOND, 1: FIRST}], ids=["missing", "exchanged"])
    @requirement("osml.upload.not-whole")
    def test_they_make_no_whole(self, local: LocalModels, expect: Expect, sent: dict[int, bytes]) -> None:
        model = local.announced()
        ended = _deployed(local, sent, model)
        expect.equal("osml.upload.not-whole", ended.member("state"), "FAILED", "state of the deploy task")
        settled = local.ml.settle_state(model, "DEPLOY_FAILED")
        expect.settles("osml.upload.not-whole", settled, "DEPLOY_FAILED", "model_state")
        expect.equal("osml.upload.not-whole", local.in_memory_of(model), [], "nodes whose profile has it")

    @pytest.mark.parametrize(
        "sent", [((0, SECOND), (0, FIRST), (1, SECOND)), ((0, FIRST), (1, FIRST), (1, SECOND))]
    )
    @requirement("osml.upload.again")
    def test_one_comes_again(
        self, local: LocalModels, expect: Expect, sent: tuple[tuple[int, bytes], ...]
    ) -> None:
        model = local.announced()
        for number, content in sent:
            expect.accepted("osml.upload.again", local.upload_chunk(model, number, content))
        local.ml.settle_state(model, "REGISTERED")
        ended = local.deploy(model)
        expect.equal("osml.upload.again", ended.member("state"), "COMPLETED", "state of the deploy task")
        expect.accepted("osml.upload.again", local.predict(model))

    @requirement("osml.upload.too-many")
    def test_one_too_many(self, local: LocalModels, expect: Expect) -> None:
        answered = local.upload_chunk(local.announced(chunks=1), 1, SECOND)
        # That it is no fault of the server is osml.wire.no-server-error.
        expect.refused("osml.upload.too-many", answered, "a refusal of chunk 1 of a model of one chunk")


def _deployed(local: LocalModels, chunks: dict[int, bytes], model: str | None = None) -> Exchange:
    """The task of the deploy of a model whose chunks were uploaded in this order."""
    model_id = model or local.announced()
    for number, content in chunks.items():
        sent = local.upload_chunk(model_id, number, content)
        if sent.status != 200:
            raise Untestable(f"a chunk could not be uploaded: {sent.summary}")
    if len(chunks) == 2:
        # The last one is answered before the model is written anew.
        local.ml.settle_state(model_id, "REGISTERED", budget=2.0)
    return local.deploy(model_id)
