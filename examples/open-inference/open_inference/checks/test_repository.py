"""The model repository extension (page extension_model_repository)."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from mlconform.conformance.contract.model import Contract
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.suites.expect import Expect
from mlconform.conformance.suites.explore import Explore
from mlconform.conformance.suites.marks import exclusive, requirement
from open_inference.api import UNKNOWN, OpenInference
from open_inference.forms import fits, no_server_error, refused

pytestmark = exclusive


def _listed(v2: OpenInference, *, ready: bool = False) -> set[str]:
    answered = v2.index(**({"ready": True} if ready else {}))
    entries = answered.json if answered.status == 200 else None
    if not isinstance(entries, list):
        raise Untestable(f"the index lists no models: {answered.summary}")
    return {str(entry.get("name")) for entry in entries if isinstance(entry, dict)}


@requirement("v2.repository.index")
def test_the_index_lists_the_models(v2: OpenInference, contract: Contract, expect: Expect) -> None:
    fits(expect, contract, "v2.repository.index", "index", v2.index())


@requirement("v2.repository.extension")
def test_the_extension_is_named(v2: OpenInference, expect: Expect) -> None:
    v2.model()
    if v2.load(v2.session.options.model_ids[0]).status != 200:
        raise Untestable("the server loads no models, so it need not name the extension")
    extensions = v2.get("").member("extensions")
    expect.that(
        "v2.repository.extension",
        isinstance(extensions, list) and "model_repository" in extensions,
        expected="`model_repository` among the extensions",
        came=repr(extensions),
    )


@requirement("v2.repository.index-unloaded", "v2.repository.index-ready")
def test_an_unloaded_model_stays_in_the_index(v2: OpenInference, expect: Expect) -> None:
    model = v2.unloaded()
    listed, ready = model in _listed(v2), model in _listed(v2, ready=True)
    expect.equal("v2.repository.index-unloaded", listed, True, "the index has the unloaded model")
    expect.equal("v2.repository.index-ready", ready, False, "the index of what is ready has it")


@requirement("v2.repository.load", "v2.repository.reload", "v2.repository.unload")
def test_any_sequence_of_loads_and_unloads(v2: OpenInference, expect: Expect, explore: Explore) -> None:
    @explore.every(st.lists(st.booleans(), min_size=1, max_size=6), requests=14, most=20)
    def holds(steps: list[bool]) -> None:
        model = v2.model()
        for before, load in itertools.pairwise((True, *steps)):
            answered = v2.load(model) if load else v2.unload(model)
            name = "v2.repository.load" if load else "v2.repository.unload"
            # What the unload of a model that is not loaded is answered with is written nowhere.
            if load or before:
                expect.status("v2.repository.reload" if load and before else name, answered, 200)
            expect.equal(name, v2.settle_ready(model, wanted=load), load, "the model is ready")


@requirement("v2.repository.load-error", "v2.wire.no-server-error")
def test_the_load_of_an_unknown_model(v2: OpenInference, expect: Expect) -> None:
    answered = v2.load(UNKNOWN)
    no_server_error(expect, answered)
    refused(expect, "v2.repository.load-error", answered)


@requirement("v2.repository.unload-error", "v2.wire.no-server-error")
def test_the_unload_of_an_unknown_model(v2: OpenInference, expect: Expect) -> None:
    answered = v2.unload(UNKNOWN)
    no_server_error(expect, answered)
    refused(expect, "v2.repository.unload-error", answered)
