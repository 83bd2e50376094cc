"""Who wants the mock alone, or another project's tests, pays for nothing else."""

from __future__ import annotations

import http.client
import importlib
import os
import re
import subprocess
import sys
import tomllib
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from mlconform.conformance.cli import COMMANDS

PROJECT = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
MODULES = {"markdown-it-py": "markdown_it", "pytest-xdist": "xdist"}
ALLOWED_SECONDS = 0.05  # of processor time
ALLOWED_MEGABYTES = 60
CLIENTS = 200
# What is imported when it is needed, and not at each start of the mock. To define one dataclass takes it as
# long as to import two or three modules.
LATER = {
    "dataclasses",
    "hmac",
    "importlib.metadata",
    "jsonschema",
    "jsonschema_rs",
    "mlconform.conformance.contract.model",
    "mlconform.conformance.targets",
    "trustme",
    "urllib.request",
    "urllib3",
    "yaml",
    "zipfile",
}
WITH_FIRST_REQUEST = {
    "hashlib",
    "mlconform.mock_server.opensearch_ml.routes",
    "mlconform.mock_server.opensearch_ml.search",
}
COMMAND = "from mlconform.conformance.cli import main; main(['mock', '--port', '0'])"
FIXTURE = """
import sys
from mlconform.mock_server.fixture import running_mock
with running_mock() as mock:
    print(mock.url, flush=True)
    sys.stdin.read()
"""


# Both in one process that has run pytest before: two starts of Python differ by more than what is measured.
# The least of ten counts, for what else the machine does only adds.
MEASURE = """
import sys, time
import pytest

def seconds(*plugin):
    for name in set(sys.modules) - known:
        del sys.modules[name]
    before = time.process_time()
    assert pytest.main(["-q", "-p", "no:cacheprovider", *plugin]) == pytest.ExitCode.NO_TESTS_COLLECTED
    return time.process_time() - before

known = set(sys.modules)
seconds()
known = set(sys.modules)
pairs = [(seconds(), seconds("-p", "mlconform.conformance.plugin")) for _ in range(10)]
without, with_it = map(min, zip(*pairs))
print(with_it - without, file=sys.stderr)
"""


def _names(requirements: list[str]) -> list[str]:
    names = (one.partition(">")[0] for one in requirements)
    return [MODULES.get(name, name.replace("-", "_")) for name in names]


WITHOUT_JUDGING = f"""
import sys
for name in {_names(PROJECT["optional-dependencies"]["run"])}:
    sys.modules[name] = None
from mlconform.conformance.cli import main
main()
"""


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-c", WITHOUT_JUDGING, *arguments]


def test_the_mock_runs_where_only_it_is_installed() -> None:
    with subprocess.Popen(_command("mock", "--port", "0"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert urllib3.request("GET", f"{url}/_mock/health").json() == {"status": "ready"}
        process.terminate()


@pytest.mark.parametrize("arguments", [["run", "--level", "observed"], ["mutants"]])
def test_what_judges_says_there_what_it_needs(arguments: list[str]) -> None:
    ended = subprocess.run(_command(*arguments), capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 3
    assert "not installed: pip install 'mlconform[run]'" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_help_is_there_all_the_same() -> None:
    ended = subprocess.run(_command("--help"), capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 0
    assert "mutants" in ended.stdout


def test_the_list_of_commands_imports_none_of_them() -> None:
    script = "from mlconform.conformance.cli import main; main(['--help'])"
    ended = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0
    assert "mlconform.conformance.cli" in ended.stderr
    assert "mlconform.conformance.commands" not in ended.stderr


def test_every_command_is_in_the_list() -> None:
    folder = resources.files("mlconform.conformance") / "commands"
    modules = {each.name.removesuffix(".py") for each in folder.iterdir() if each.name.endswith(".py")}
    found = {
        name
        for name in modules
        if hasattr(importlib.import_module(f"mlconform.conformance.commands.{name}"), "command")
    }
    assert found == set(COMMANDS)


def test_the_plugin_costs_other_peoples_pytest_next_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert measured.returncode == 0, measured.stderr
    assert float(measured.stderr) < ALLOWED_SECONDS


@pytest.mark.parametrize(
    ("path", "later"), [("/_mock/health", LATER | WITH_FIRST_REQUEST), ("/", LATER)], ids=["start", "first"]
)
def test_a_start_of_the_mock_imports_only_what_it_needs(path: str, later: set[str]) -> None:
    program = f"""
import sys
import mlconform.conformance.cli, mlconform.conformance.commands.mock
from mlconform.mock_server import MockServer, Request
assert MockServer().handle(Request("GET", "{path}")).status == 200
print(*({later} & set(sys.modules)))
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout.split()) == (0, []), ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("program", [COMMAND, FIXTURE], ids=["command", "fixture"])
def test_two_hundred_clients_at_once_are_answered_in_little_memory(program: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address = urlsplit(process.stdout.readline().strip())
        clients = [http.client.HTTPConnection(address.netloc, timeout=60) for _ in range(CLIENTS)]
        for _ in range(3):
            for client in clients:
                client.request("GET", "/_cluster/health")
            statuses = []
            for client in clients:
                with client.getresponse() as answer:
                    answer.read()
                    statuses.append(answer.status)
            assert statuses == [200] * CLIENTS
        status = Path(f"/proc/{process.pid}/status").read_text()
        for client in clients:
            client.close()
        process.kill()
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert peak is not None
    assert int(peak[1]) / 1024 < ALLOWED_MEGABYTES
