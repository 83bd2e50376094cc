"""A mock under load with faults on: nothing that it acknowledged is lost, and every request is answered.

Many connections register, update, deploy, use, undeploy and delete models of their own while the mock delays,
refuses, breaks and resets a share of the answers. Every request must end in an answer or in a fault that the
mock counted. At the end, every model must be as its last acknowledged write left it, or as a later write left
it whose answer was broken. What broken answers leave behind is looked for and removed, so that the mock holds
about as much at the end as after the first third; its memory is sampled all the while.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
from connector import CONNECTOR, ML

FAULTS = [
    {"kind": "delay", "probability": 0.02, "delay": {"distribution": "exponential", "mean": 0.01}},
    {"kind": "status", "status": 503, "probability": 0.01},
    {"kind": "status", "status": 429, "probability": 0.01},
    {"kind": "reset", "probability": 0.005},
    {"kind": "reset", "probability": 0.005, "executed": True},
    {"kind": "truncated", "probability": 0.005},
    {"kind": "garbage", "probability": 0.005},
]
BROKEN = (urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError)


@dataclass
class Worker:
    """One connection with its models: by id, the descriptions that each may have now; None is gone."""

    url: str
    number: int
    connector: str
    ends_at: float
    counts: Counter[str] = field(default_factory=Counter)
    models: dict[str, set[str | None]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)

    def run(self) -> None:
        """Send mixed requests until the time is over."""
        source = random.Random(self.number)
        with urllib3.PoolManager(maxsize=1, timeout=30, retries=False) as pool:
            while time.monotonic() < self.ends_at:
                if len(self.models) < 5:
                    self._register(pool)
                elif source.random() < 0.02:
                    self._tidy(pool)
                else:
                    self._use(pool, source, source.choice(list(self.models)))

    def send(self, pool: urllib3.PoolManager, method: str, path: str, body: object = None) -> object:
        """The decoded answer of a request that succeeded, False of one refused, None of one broken."""
        content = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json"}
        try:
            answer = pool.request(method, self.url + path, body=content, headers=headers)
            value = json.loads(answer.data)
        except (*BROKEN, ValueError):
            self.counts["broken"] += 1
            return None
        except urllib3.exceptions.HTTPError as error:
            self.counts[f"unanswered: {type(error).__name__}"] += 1
            return None
        self.counts["answered"] += 1
        if answer.status in (429, 503):
            self.counts["refused"] += 1
        return value if answer.status < 300 else False

    def _register(self, pool: urllib3.PoolManager) -> None:
        body = {"name": f"w{self.number}", "function_name": "remote", "connector_id": self.connector}
        answer = self.send(pool, "POST", f"{ML}/models/_register", {**body, "description": "0"})
        if isinstance(answer, dict):
            self.models[answer["model_id"]] = {"0"}
            self._forget_task(pool, answer["task_id"])

    def _use(self, pool: urllib3.PoolManager, source: random.Random, model_id: str) -> None:
        path, chance = f"{ML}/models/{model_id}", source.random()
        if chance < 0.4:
            self.send(pool, "GET", path)
        elif chance < 0.7:
            wanted = str(source.random())
            answer = self.send(pool, "PUT", path, {"description": wanted})
            self._note(model_id, answer, wanted)
        elif chance < 0.8:
            answer = self.send(pool, "POST", f"{path}/_deploy")
            if isinstance(answer, dict):
                self._forget_task(pool, answer["task_id"])
        elif chance < 0.9:
            self.send(pool, "POST", f"{path}/_predict", {"parameters": {}})
        elif chance < 0.95:
            self.send(pool, "POST", f"{path}/_undeploy")
        else:
            self._note(model_id, self.send(pool, "DELETE", path), None)
            if self.models[model_id] == {None}:
                del self.models[model_id]
                self.gone.append(model_id)

    def _note(self, model_id: str, answer: object, wanted: str | None) -> None:
        if isinstance(answer, dict):
            self.models[model_id] = {wanted}
        elif answer is None:
            self.models[model_id].add(wanted)

    def _tidy(self, pool: urllib3.PoolManager) -> None:
        """Remove models whose registration had a broken answer, and the tasks of this worker's models."""
        own = {"term": {"name.keyword": f"w{self.number}"}}
        for model_id in self._found(pool, "models", own):
            if model_id not in self.models:
                self.send(pool, "POST", f"{ML}/models/{model_id}/_undeploy")
                self.send(pool, "DELETE", f"{ML}/models/{model_id}")
                self.gone.append(model_id)
        for task_id in self._found(pool, "tasks", {"terms": {"model_id": [*self.models, *self.gone]}}):
            self._forget_task(pool, task_id)
        del self.gone[:-20]

    def _found(self, pool: urllib3.PoolManager, what: str, query: object) -> list[str]:
        answer = self.send(pool, "POST", f"{ML}/{what}/_search", {"query": query, "size": 100})
        return [hit["_id"] for hit in answer["hits"]["hits"]] if isinstance(answer, dict) else []

    def _forget_task(self, pool: urllib3.PoolManager, task_id: str) -> None:
        self.send(pool, "DELETE", f"{ML}/tasks/{task_id}")

    def lost(self, pool: urllib3.PoolManager) -> list[str]:
        """The models that are not as an acknowledged write left them."""
        wrong = []
        for model_id, allowed in self.models.items():
            answer = pool.request("GET", f"{self.url}{ML}/models/{model_id}")
            found = answer.json().get("description") if answer.status == 200 else None
            if found not in allowed:
                wrong.append(f"{model_id}: expected {allowed}, got {found}")
        return wrong


def main() -> None:
    """Run the soak; exit code 1 where something was lost, unanswered, or memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=64)
    options = parser.parse_args()
    serve = (
        "from mlconform.mock_server import MockServer; from mlconform.mock_server.asgi import serve; "
        "serve(MockServer(), '127.0.0.1', 0, lambda url: print(url, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", serve], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            sys.exit(_soak(line.strip(), process.pid, options.seconds, options.connections))
        finally:
            process.terminate()


def _soak(url: str, pid: int, seconds: float, connections: int) -> int:
    with urllib3.PoolManager(retries=False, headers={"content-type": "application/json"}) as pool:
        connector = pool.request("POST", f"{url}{ML}/connectors/_create", body=json.dumps(CONNECTOR)).json()
        pool.request("PUT", f"{url}/_mock/faults", body=json.dumps({"faults": FAULTS, "seed": 1}))
        ends_at = time.monotonic() + seconds
        workers = [Worker(url, number, connector["connector_id"], ends_at) for number in range(connections)]
        threads = [threading.Thread(target=worker.run) for worker in workers]
        for thread in threads:
            thread.start()
        memory = []
        while any(thread.is_alive() for thread in threads):
            memory.append(_megabytes(pid))
            for thread in threads:
                thread.join(seconds / 20 / len(threads))
        faults = pool.request("GET", f"{url}/_mock/faults").json()["faults"]
        pool.request("DELETE", f"{url}/_mock/faults")
        lost = [line for worker in workers for line in worker.lost(pool)]
    return _judge(sum((worker.counts for worker in workers), Counter()), faults, lost, memory, seconds)


def _judge(
    counts: Counter[str],
    faults: list[dict[str, object]],
    lost: list[str],
    memory: list[float],
    seconds: float,
) -> int:
    struck = {str(fault["kind"]): 0 for fault in faults}
    for fault in faults:
        struck[str(fault["kind"])] += int(str(fault["struck"]))
    unanswered = sum(number for name, number in counts.items() if name.startswith("unanswered"))
    breaking = struck["reset"] + struck["truncated"] + struck["garbage"]
    settled, end = memory[len(memory) // 3], memory[-1]
    sys.stdout.write(
        f"{counts['answered']} answered ({counts['answered'] / seconds:.0f}/s), {counts['broken']} broken of "
        f"{breaking} faults that break, {unanswered} unanswered, {counts['refused']} refused\n"
        f"faults: {struck}\nlost writes: {len(lost)}\n"
        f"memory: {settled:.1f} MB after a third, {end:.1f} MB at the end\n"
    )
    for line in lost:
        sys.stdout.write(f"  {line}\n")
    level = end <= settled * 1.1 + 2
    return 0 if not lost and not unanswered and counts["broken"] <= breaking and level else 1


def _megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
