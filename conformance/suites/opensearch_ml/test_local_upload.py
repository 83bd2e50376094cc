"""Models that a client uploads chunk by chunk: recorded, and behind a setting of page cluster-settings."""

from __future__ import annotations

from conformance.suites.expect import Expect
from conformance.suites.marks import exclusive, requirement
from conformance.suites.opensearch_ml.local_models import VIA_FILE, LocalModels
from conformance.targets import model_file

pytestmark = exclusive


@requirement("osml.settings.allow-local-file")
def test_local_files_not_allowed(local: LocalModels, expect: Expect) -> None:
    local.let_in()
    model, chunk = local.announced(), model_file.small().chunks(2)[0]
    before = local.set({VIA_FILE: False})
    refused = [local.register_meta(local.meta_body()), local.upload_chunk(model, 0, chunk)]
    local.set(before)
    for answered in refused:
        expect.client_error("osml.settings.allow-local-file", answered)
    expect.accepted("osml.settings.allow-local-file", local.register_meta(local.meta_body()))
    expect.accepted("osml.settings.allow-local-file", local.upload_chunk(model, 0, chunk))


@requirement("osml.get.state.registering")
def test_a_model_whose_chunks_are_still_to_come(local: LocalModels, expect: Expect) -> None:
    state = local.ml.state(local.announced())
    expect.equal("osml.get.state.registering", state, "REGISTERING", "model_state before the first chunk")
