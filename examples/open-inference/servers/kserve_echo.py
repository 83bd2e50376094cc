"""KServe's model server with a model that gives back what it is given; the port is the one argument."""

from __future__ import annotations

import sys
from typing import Any

from kserve import InferOutput, InferRequest, InferResponse, Model, ModelRepository, ModelServer
from kserve.utils.utils import generate_uuid

TENSORS = [
    {"name": "x", "datatype": "FP64", "shape": [-1]},
    {"name": "y", "datatype": "INT64", "shape": [-1]},
]


class Echo(Model):
    """Each input is an output of the same name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.load()

    def load(self) -> bool:
        self.ready = True
        return self.ready

    async def get_input_types(self) -> list[dict[str, Any]]:
        return TENSORS

    async def get_output_types(self) -> list[dict[str, Any]]:
        return TENSORS

    async def predict(self, payload: InferRequest, *_: Any, **__: Any) -> InferResponse:
        asked = {output.name for output in payload.request_outputs or ()}
        outputs = [
            InferOutput(name=given.name, shape=given.shape, datatype=given.datatype, data=given.data)
            for given in payload.inputs
            if not asked or given.name in asked
        ]
        own = payload.id or generate_uuid()
        return InferResponse(response_id=own, model_name=self.name, infer_outputs=outputs)


class Repository(ModelRepository):
    """Makes the model when it is asked to load it, as the repositories of KServe's own servers do."""

    def load(self, name: str) -> bool:
        if name != "echo":
            return False
        self.update(Echo(name))
        return True


if __name__ == "__main__":
    server = ModelServer(http_port=int(sys.argv[1]), enable_grpc=False, registered_models=Repository())
    server.start([Echo("echo")])
