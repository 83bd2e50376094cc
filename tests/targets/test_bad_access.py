"""What may be wrong on the way to a secured target: each is told with what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trustme
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from mlconform.conformance.cli import main
from mlconform.conformance.errors import PrerequisiteMissing, TargetUnreachable
from mlconform.conformance.targets.access_options import AccessOptions
from mlconform.conformance.targets.connect import TargetOptions, connect
from mlconform.conformance.targets.credentials import bearer
from mlconform.conformance.targets.pools import proxy_for
from mlconform.mock_server import DEFAULT_PASSWORD, MockServer, Security
from mlconform.mock_server.asgi import serving
from mlconform.mock_server.certificates import Certificates
from mlconform.mock_server.core import Request, Response

Served = Callable[..., tuple[str, Path]]
NOW = datetime.now(UTC)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """Serves a secured mock over HTTPS with a certificate for this name; gives its address and authority."""
    with ExitStack() as running:

        def serve(name: str = "127.0.0.1", **validity: Any) -> tuple[str, Path]:
            authority = trustme.CA()
            issued = authority.issue_cert(name, **validity)
            files = Certificates(tmp_path / "ca.pem", tmp_path / "own.pem", tmp_path / "key.pem")
            authority.cert_pem.write_to_path(str(files.ca_file))
            issued.private_key_pem.write_to_path(str(files.key_file))
            issued.cert_chain_pems[0].write_to_path(str(files.certificate_file))
            server = MockServer(security=Security())
            return running.enter_context(serving(server, files)), files.ca_file

        yield serve


def refusal(url: str, user: str = "admin", password: str = DEFAULT_PASSWORD, **access: Any) -> str:
    """Why no session came about; each command so ends with exit code 3 and says the same, no traceback."""
    target = url.replace("://", f"://{user}:{password}@") if user else url
    given = AccessOptions(**access)
    with pytest.raises((PrerequisiteMissing, TargetUnreachable)) as caught:
        connect("opensearch-ml", TargetOptions(target=target, access=given)).close()
    told = str(caught.value)
    for command in ("run", "doctor", "sweep"):
        code, said = run(target, *given.arguments(), command=command)
        assert code == 3
        assert "".join(told.split())[:60] in "".join(said.split())
        assert "Traceback" not in said
        assert password not in told + said
    return told


def run(target: str, *more: str, command: str = "run") -> tuple[int, str]:
    """Exit code and output of a command."""
    with TemporaryDirectory() as out:
        given = ["--profile", "opensearch-ml", "--out", out] if command == "run" else []
        done = CliRunner().invoke(main, [command, "--target", target, *given, *more])
    return done.exit_code, done.output


def test_the_right_authority_and_account_are_let_in(served: Served) -> None:
    url, ca_file = served()
    target = url.replace("://", f"://admin:{DEFAULT_PASSWORD}@")
    session = connect(
        "opensearch-ml", TargetOptions(target=target, access=AccessOptions(ca_file=str(ca_file)))
    )
    assert session.facts.version
    session.close()


def test_an_authority_that_nobody_knows(served: Served) -> None:
    assert "--ca-file" in refusal(served()[0])


def self_signed(folder: Path) -> Certificates:
    """A server's certificate that has no authority but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = Certificates(folder / "own.pem", folder / "own.pem", folder / "key.pem")
    files.certificate_file.write_bytes(made.public_bytes(Encoding.PEM))
    files.key_file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    return files


def test_a_certificate_that_signed_itself(tmp_path: Path) -> None:
    files = self_signed(tmp_path)
    with serving(MockServer(security=Security()), files) as url:
        told = refusal(url)
        assert "nobody but itself signed its certificate" in told
        assert "--ca-file" in told
        target = url.replace("://", f"://admin:{DEFAULT_PASSWORD}@")
        given = AccessOptions(ca_file=str(files.certificate_file))
        connect("opensearch-ml", TargetOptions(target=target, access=given)).close()


def test_a_certificate_that_ran_out(served: Served) -> None:
    url, ca_file = served(not_before=NOW - timedelta(days=2), not_after=NOW - timedelta(days=1))
    assert "not valid today" in refusal(url, ca_file=str(ca_file))


def test_a_certificate_of_another_name(served: Served) -> None:
    url, ca_file = served("search.example.org")
    assert "--server-name" in refusal(url, ca_file=str(ca_file))
    given = AccessOptions(ca_file=str(ca_file), server_name="search.example.org")
    target = url.replace("://", f"://admin:{DEFAULT_PASSWORD}@")
    connect("opensearch-ml", TargetOptions(target=target, access=given)).close()


def test_an_authority_that_is_none(served: Served, tmp_path: Path) -> None:
    (tmp_path / "text.pem").write_text("no certificate")
    told = refusal(served()[0], ca_file=str(tmp_path / "text.pem"))
    assert "text.pem can't be used" in told
    assert "openssl x509" in told


def test_plain_http_to_a_port_of_tls(served: Served) -> None:
    assert "https://" in refusal(served()[0].replace("https:", "http:"))


def test_tls_to_a_port_of_plain_http(serve_mock: Any) -> None:
    assert "http://" in refusal(serve_mock().url.replace("http:", "https:"))


def test_a_wrong_password(served: Served) -> None:
    url, ca_file = served()
    assert "credentials of admin are not accepted" in refusal(url, password="wrong-one", ca_file=str(ca_file))


def test_no_credentials(served: Served) -> None:
    url, ca_file = served()
    assert "give credentials" in refusal(url, user="", ca_file=str(ca_file))


def test_a_user_without_a_role(served: Served) -> None:
    url, ca_file = served()
    told = refusal(url, user="nobody", ca_file=str(ca_file))
    assert "credentials of nobody are accepted" in told
    assert "ml_full_access" in told


def test_a_token_that_runs_out_in_the_middle(talk_to: Any) -> None:
    answers: Mapping[tuple[str, str], Any] = {("GET", "/"): (200, {})}
    session, target = talk_to(answers, credentials=bearer("planted-token"))
    session.request("GET", "/")
    target.answers = {("GET", "/"): (401, {}), ("GET", "/a"): (401, {})}
    with pytest.raises(TargetUnreachable, match=r"refuses them now .*mlconform sweep") as caught:
        session.request("GET", "/a")
    assert "planted" not in str(caught.value)


class RunsOut:
    """A secured mock that refuses an account after so many of its requests, until it is told not to."""

    def __init__(self, requests: int) -> None:
        self._inner = MockServer(security=Security())
        self.left = requests

    def handle(self, request: Request) -> Response:
        if "authorization" in {name.lower() for name in request.headers}:
            self.left -= 1
            if self.left < 0:
                return Response(401, (("content-type", "text/plain"),), b"Unauthorized")
        return self._inner.handle(request)


def test_a_run_whose_credentials_run_out_keeps_what_it_learned_and_can_be_swept() -> None:
    server = RunsOut(requests=150)
    with serving(server) as url:
        target = url.replace("://", f"://admin:{DEFAULT_PASSWORD}@")
        code, said = run(target, "--select", "osml.delete.*")
        assert code == 3
        assert "refuses them now" in said and "mlconform sweep" in said
        assert "Traceback" not in said
        assert " pass" in said
        server.left = 10_000
        swept = CliRunner().invoke(main, ["sweep", "--force", "--target", target])
        assert (swept.exit_code, "0 left" in swept.output) == (0, True), swept.output
        again = CliRunner().invoke(main, ["sweep", "--target", target])
        assert "0 removed, 0 left" in again.output


def test_a_model_whose_service_answers_401_is_no_token_that_ran_out(talk_to: Any) -> None:
    session, _ = talk_to({("GET", "/"): (200, {}), ("POST", "/a"): (401, {})}, credentials=bearer("a-token"))
    session.request("GET", "/")
    assert session.request("POST", "/a").status == 401


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch, free_port: int) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:planted-proxy@127.0.0.1:{free_port}")
    told = refusal("http://search.example.org:9200")
    assert f"the proxy http://127.0.0.1:{free_port} did not lead there" in told
    assert "NO_PROXY" in told
    assert "planted" not in told


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "[::1]"])
def test_no_proxy_is_between_us_and_our_own_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:3128")
    assert proxy_for(f"https://{host}:9200") is None
    assert proxy_for("https://search.example.org") == "http://proxy.example.org:3128"


def test_what_a_request_without_credentials_does_to_its_connection_no_other_finds_out(
    serve_mock: Any,
) -> None:
    """A recorded 3.4.0 refuses the request after one without credentials that it answered with 400."""
    url = serve_mock(security=Security(), behaviour="opensearch-3.4").url
    target = url.replace("://", f"://admin:{DEFAULT_PASSWORD}@")
    session = connect("opensearch-ml", TargetOptions(target=target))
    assert session.request("GET", "/_mock/no-such-thing", authorize=False).status >= 400
    assert session.request("GET", "/_plugins/_ml/no_such_path", authorize=False).status == 400
    assert session.request("GET", "/").status == 200
    session.close()
