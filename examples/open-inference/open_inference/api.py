"""The protocol through a session: its operations, and models in the state a check begins with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from mlconform.conformance.contract.model import Remedy
from mlconform.conformance.outcomes import Untestable
from mlconform.conformance.targets.exchange import Exchange
from mlconform.conformance.targets.session import Session
from open_inference.profile import REPOSITORY, V2, load_later

UNKNOWN = "mlconform-no-such-model"
# A value of each type of tensor (page inference_rest, section Tensor Data Types).
_VALUES = {"BOOL": True, "BYTES": "a", "FP16": 1.5, "FP32": 1.5, "FP64": 1.5}


class OpenInference:
    """The operations on one target. Only models that may be used are loaded and unloaded."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get(self, path: str) -> Exchange:
        return self.session.request("GET", f"{V2}{path}")

    def metadata(self, model: str) -> Exchange:
        return self.get(f"/models/{quote(model, safe='')}")

    def ready(self, model: str) -> Exchange:
        return self.get(f"/models/{quote(model, safe='')}/ready")

    def infer(self, model: str, body: Any) -> Exchange:
        return self.session.request("POST", f"{V2}/models/{quote(model, safe='')}/infer", body)

    def index(self, **body: Any) -> Exchange:
        return self.session.request("POST", f"{REPOSITORY}/index", body)

    def load(self, model: str) -> Exchange:
        return self.session.request("POST", f"{REPOSITORY}/models/{quote(model, safe='')}/load")

    def unload(self, model: str) -> Exchange:
        return self.session.request("POST", f"{REPOSITORY}/models/{quote(model, safe='')}/unload")

    def is_ready(self, model: str) -> bool:
        """Whether the server says that the model is ready: a success, and no body that says otherwise."""
        answered = self.ready(model)
        return answered.status == 200 and '"ready":false' not in answered.text.replace(" ", "")

    def settle_ready(self, model: str, *, wanted: bool) -> bool:
        """Wait until the model is ready, or is not; returns whether it is at the end."""
        settled = self.session.settle(lambda: self.is_ready(model), lambda ready: ready is wanted, budget=5.0)
        return settled.value

    def model(self) -> str:
        """A model that is loaded; afterwards it is loaded again."""
        if not self.session.options.model_ids:
            raise Untestable("no model may be used; name one with --model-id", Remedy.MODEL)
        model = self.session.options.model_ids[0]
        load_later(self.session, model)
        if not self.is_ready(model):
            self.load(model)
            if not self.settle_ready(model, wanted=True):
                raise Untestable(f"the model {model} could not be loaded")
        return model

    def unloaded(self) -> str:
        """A model that was unloaded; afterwards it is loaded again."""
        model = self.model()
        answered = self.unload(model)
        if answered.status != 200:
            raise Untestable(f"the model {model} could not be unloaded: {answered.summary}")
        return model

    def inputs(self, model: str, *, length: int = 3) -> list[dict[str, Any]]:
        """Tensors that the metadata of the model ask for, each open dimension of this length."""
        declared = self.metadata(model).member("inputs")
        if not isinstance(declared, list) or not declared:
            raise Untestable(f"the metadata of {model} name no inputs, so none can be made")
        return [_filled(tensor, length) for tensor in declared]

    def outputs(self, model: str) -> list[str]:
        """The names of the outputs that the metadata of the model tell."""
        declared = self.metadata(model).member("outputs")
        if not isinstance(declared, list) or not declared:
            raise Untestable(f"the metadata of {model} name no outputs")
        return [str(tensor.get("name")) for tensor in declared if isinstance(tensor, dict)]


def size(shape: Sequence[Any]) -> int:
    """How many values a tensor of this shape has."""
    return math.prod(dimension for dimension in shape if isinstance(dimension, int))


def _filled(tensor: Any, length: int) -> dict[str, Any]:
    shape = [length if dimension == -1 else dimension for dimension in tensor.get("shape", [])]
    value = _VALUES.get(tensor.get("datatype"), 1)
    return {
        "name": tensor.get("name"),
        "datatype": tensor.get("datatype"),
        "shape": shape,
        "data": [value] * size(shape),
    }
