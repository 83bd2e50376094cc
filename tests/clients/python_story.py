"""The story of a model, told by opensearch-py: sync, async, compressed or not."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

from opensearchpy import AsyncOpenSearch, OpenSearch, TransportError

ML = "/_plugins/_ml"
Send = Callable[..., Awaitable[Any]]


def tell(url: str, script: dict[str, Any], *, compressed: bool, awaited: bool) -> dict[str, Any]:
    """Tell the story to the mock at this URL."""
    return asyncio.run((_awaited if awaited else _plain)(url, script, compressed))


async def _plain(url: str, script: dict[str, Any], compressed: bool) -> dict[str, Any]:
    with OpenSearch(url, http_compress=compressed) as client:

        async def send(method: str, path: str, body: Any = None) -> Any:
            return client.transport.perform_request(method, path, body=body)

        return await _Story(send, script).told()


async def _awaited(url: str, script: dict[str, Any], compressed: bool) -> dict[str, Any]:
    async with AsyncOpenSearch(url, http_compress=compressed) as client:

        async def send(method: str, path: str, body: Any = None) -> Any:
            return await client.transport.perform_request(method, path, body=body)

        return await _Story(send, script).told()


class _Story:
    def __init__(self, send: Send, script: dict[str, Any]) -> None:
        self._send = send
        self._script = script

    async def told(self) -> dict[str, Any]:
        return {
            "life": await self._life(),
            "safe_delete": await self._safe_delete(),
            "time_to_live": await self._time_to_live(),
            "error": await self._refused("GET", f"{ML}/models/none"),
        }

    async def _refused(self, method: str, path: str) -> list[Any]:
        try:
            answer = await self._send(method, path)
        except TransportError as error:
            return [error.status_code, error.info["error"]["reason"]]
        raise AssertionError(f"{method} {path} was not refused: {answer}")

    async def _until(self, model: str, wanted: str) -> str:
        end = time.monotonic() + 10
        while True:
            state = str((await self._send("GET", f"{ML}/models/{model}"))["model_state"])
            if state == wanted or time.monotonic() > end:
                return state

    async def _register(self, **members: Any) -> str:
        made = await self._send("POST", f"{ML}/connectors/_create", self._script["connector"])
        body = {"name": "m", "function_name": "remote", "connector_id": made["connector_id"], **members}
        return str((await self._send("POST", f"{ML}/models/_register", body))["model_id"])

    async def _life(self) -> list[Any]:
        model = f"{ML}/models/{await self._register()}"
        await self._send("POST", f"{model}/_deploy")
        reached = await self._until(model.rpartition("/")[2], "DEPLOYED")
        answer = await self._send("POST", f"{model}/_predict", {"parameters": {"q": "hello"}})
        await self._send("POST", f"{model}/_undeploy")
        deleted = await self._send("DELETE", model)
        return [reached, answer["inference_results"][0]["status_code"], deleted["result"]]

    async def _safe_delete(self) -> list[Any]:
        on = {"persistent": {"plugins.ml_commons.safe_delete_model": True}}
        await self._send("PUT", "/_cluster/settings", on)
        model = await self._register()
        pipeline = json.loads(json.dumps(self._script["pipeline"]).replace("MODEL", model))
        await self._send("PUT", "/_ingest/pipeline/p", pipeline)
        refused = await self._refused("DELETE", f"{ML}/models/{model}")
        await self._send("DELETE", "/_ingest/pipeline/p")
        return [*refused, (await self._send("DELETE", f"{ML}/models/{model}"))["result"]]

    async def _time_to_live(self) -> str:
        model = await self._register(deploy_setting={"model_ttl_minutes": 1})
        await self._send("POST", f"{ML}/models/{model}/_deploy")
        await self._until(model, "DEPLOYED")
        await self._send("POST", "/_mock/clock", {"advance": 120})
        return await self._until(model, "UNDEPLOYED")
