"""Nugen Intelligence through a session: its operations, and models in the state a check begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets import nugen
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.nugen import ALIGNED, MODELS
from mlconform.conformance.targets.session import Session

UNKNOWN_ID = "mlconform-no-such-model"
COMPLETIONS = "/api/v3/inference/completions"


class Nugen:
    """The operations of Nugen on one target. Only models that may be used are touched."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def undeploy(self, model_id: str) -> Exchange:
        return self.session.request("DELETE", f"{MODELS}/undeploy-model/{quote(model_id, safe='')}")

    def undeploy_status(self, model_id: str) -> Exchange:
        return self.session.request("GET", f"{MODELS}/undeploy-model/{quote(model_id, safe='')}/status")

    def deploy(self, model_id: str) -> Exchange:
        return self.session.request("POST", f"{MODELS}/deploy-model/{quote(model_id, safe='')}")

    def deploy_status(self, model_id: str) -> Exchange:
        return self.session.request("GET", f"{MODELS}/deploy-model/{quote(model_id, safe='')}/status")

    def aligned(self) -> Exchange:
        return self.session.request("GET", ALIGNED)

    def complete(self, model_id: str, **more: Any) -> Exchange:
        return self.session.request("POST", COMPLETIONS, {"model": model_id, "prompt": "hello", **more})

    def entries(self) -> Sequence[Mapping[str, Any]]:
        """Every model that the list of aligned models shows."""
        return nugen.entries(self.session)

    def entry(self, model_id: str) -> Mapping[str, Any]:
        """The model as the list of aligned models shows it; empty where it is not in it."""
        return nugen.entry(self.session, model_id)

    def state(self, model_id: str) -> str:
        return str(self.entry(model_id).get("status"))

    def settle_state(self, model_id: str, wanted: str) -> str:
        """Wait until the list shows this status; returns the status it shows at the end."""
        budget = self.session.options.max_wait
        return self.session.settle(
            lambda: self.state(model_id), lambda state: state == wanted, budget=budget
        ).value

    def deployed_model(self) -> str:
        """A model that is DEPLOYED."""
        return self._model_in("DEPLOYED")

    def undeployed_model(self) -> str:
        """A model that is UNDEPLOYED."""
        return self._model_in("UNDEPLOYED")

    def _model_in(self, wanted: str) -> str:
        if not self.session.options.model_ids:
            raise Untestable("no model may be used; name one with --model-id", Remedy.MODEL)
        model_id = self.session.options.model_ids[0]
        nugen.restore_later(self.session, model_id)
        nugen.bring_to(self.session, model_id, wanted)
        return model_id
