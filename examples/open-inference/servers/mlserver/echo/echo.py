"""A model of MLServer that gives back what it is given."""

from __future__ import annotations

from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Echo(MLModel):
    """Each input is an output of the same name."""

    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        asked = {output.name for output in payload.outputs or ()}
        outputs = [
            ResponseOutput(name=given.name, shape=given.shape, datatype=given.datatype, data=given.data)
            for given in payload.inputs
            if not asked or given.name in asked
        ]
        return InferenceResponse(model_name=self.name, id=payload.id, outputs=outputs)
