"""Each command in docs/ is run as a reader would, in a folder of its own, against a mock."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from mlconform.mock_server import DEFAULT_PASSWORD, MockServer, Security
from mlconform.mock_server.asgi import serving
from mlconform.mock_server.certificates import certificates
from mlconform.mock_server.core import Request, Response
from mlconform.mock_server.fixture import running_mock

ROOT = Path(__file__).parents[1]
PAGES = sorted(ROOT.glob("docs/*.md"))
# Those that add something are followed by test_walks.py, in a copy of the checkout.
TYPED = [page for page in PAGES if not page.stem.startswith("adding-")]
CLUSTER = "http://127.0.0.1:9200"
SECURED = "https://127.0.0.1:9200"
GATEWAY = "https://127.0.0.1:9443"
_BLOCK = re.compile(r"^(?P<indent> *)```sh\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)\)")


_TOKEN = "Bearer the-token-that-the-gateway-gave-you"
_ACCOUNT = "Basic " + base64.b64encode(f"ml_full:{DEFAULT_PASSWORD}".encode()).decode()


@dataclass
class Gateway:
    """Before a secured cluster, which it shows below `/search`: lets in who brings its token and a tenant."""

    cluster: MockServer = field(default_factory=lambda: MockServer(security=Security()))

    def handle(self, request: Request) -> Response:
        sent = request.headers
        if (sent.get("authorization"), sent.get("x-tenant")) != (_TOKEN, "blue"):
            return Response(401, (("content-type", "text/plain"),), b"who are you?")
        if not request.path.startswith("/search/"):
            return Response(404, (("content-type", "text/plain"),), b"nothing here")
        below = request.path.removeprefix("/search")
        return self.cluster.handle(replace(request, path=below, headers={**sent, "authorization": _ACCOUNT}))


@contextmanager
def gateway(ca_file: Path) -> Iterator[str]:
    """A gateway over HTTPS, whose authority is written there."""
    with certificates("127.0.0.1", ca_file) as files, serving(Gateway(), files) as url:
        yield url


def script(page: Path) -> str:
    """The commands of a page in their order."""
    found = []
    for block in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        found.append(re.sub(rf"^{block['indent']}", "", block["text"], flags=re.MULTILINE))
    return "".join(found)


def bash(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # A reader types them into a shell, which is no worker of pytest-xdist.
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={**own, "PATH": path},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


@pytest.mark.skipif(
    shutil.which("bash") is None or shutil.which("curl") is None, reason="needs bash and curl"
)
@pytest.mark.parametrize("page", [page for page in TYPED if script(page)], ids=lambda page: page.stem)
def test_the_commands_of_a_page_run(page: Path, tmp_path: Path) -> None:
    text = script(page)
    with (
        running_mock() as mock,
        running_mock(tls=True, security=Security()) as secured,
        gateway(tmp_path / "gateway-ca.pem") as before,
    ):
        assert secured.ca_file is not None
        shutil.copy(secured.ca_file, tmp_path / "ca.pem")
        text = text.replace(CLUSTER, mock.url).replace(SECURED, secured.url).replace(GATEWAY, before)
        ended = bash(text, tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_index_leads_to_every_page_and_links_lead_somewhere() -> None:
    index = ROOT / "docs" / "README.md"
    listed = set(_LINK.findall(index.read_text(encoding="utf-8")))
    assert {page.name for page in PAGES} - {"README.md"} <= listed
    for page in PAGES:
        for link in _LINK.findall(page.read_text(encoding="utf-8")):
            assert link.startswith("https://") or (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_readme_is_short_and_leads_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    assert "](docs/README.md)" in text
