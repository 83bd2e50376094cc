"""Connections over HTTP: how the target is trusted, which proxy is between, and what went wrong in words."""

from __future__ import annotations

import socket
import ssl
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3 import exceptions
from urllib3.util import make_headers

from mlconform.conformance.errors import PrerequisiteMissing, UsageError
from mlconform.conformance.targets.addresses import is_loopback, without_credentials
from mlconform.conformance.targets.credentials import ClientCertificate, Secret, presentable

# What OpenSSL says, what it means and what to do; the first that fits is told.
_TLS: Final[Sequence[tuple[tuple[str, ...], str, str]]] = (
    (
        ("has expired", "not yet valid"),
        "its certificate is not valid today",
        "Renew it, or check this machine's clock; --insecure accepts it.",
    ),
    (
        ("hostname mismatch", "doesn't match", "ip address mismatch"),
        "its certificate is for another name",
        "Use the name in the certificate, or give it with --server-name.",
    ),
    (
        ("self-signed certificate (",),
        "nobody but itself signed its certificate",
        "Give that certificate with --ca-file, or accept any with --insecure.",
    ),
    (
        ("certificate verify failed",),
        "no authority that is trusted here signed its certificate",
        "Give the authority's certificate with --ca-file, or accept any with --insecure.",
    ),
    (
        ("wrong version number", "record layer failure", "http request"),
        "it speaks plain HTTP and no TLS",
        "Write the address with http://.",
    ),
    (
        ("certificate required", "handshake failure"),
        "it wants a client's certificate",
        "Give one with --client-certificate.",
    ),
)


@dataclass(frozen=True, slots=True)
class Trust:
    """How the target's certificate is verified: by the system's authorities, or by those in `ca_file`;
    for `server_name` where the address has another name."""

    verify: bool = True
    ca_file: Path | None = None
    server_name: str | None = None


def open_pool(
    base_url: str, trust: Trust, certificate: ClientCertificate | None, timeout: float
) -> urllib3.PoolManager:
    """Connections of one user to one target, through the proxy of the environment where one is meant for it.

    No retries, because a second request would be a second fact. Raises `PrerequisiteMissing` for files
    that hold no certificates.
    """
    shared = {
        "retries": False,
        "timeout": urllib3.Timeout(connect=min(timeout, 10.0), read=timeout),
        "maxsize": 16,
        "ssl_context": _context(trust, certificate) if base_url.startswith("https:") else None,
        "server_hostname": trust.server_name,
        "assert_hostname": trust.server_name if trust.verify else False,
    }
    given = {name: value for name, value in shared.items() if value is not None}
    proxy = proxy_for(base_url)
    if proxy is None:
        return urllib3.PoolManager(**given)  # type: ignore[arg-type]
    parts = urlsplit(proxy)
    headers = None
    if parts.username:
        Secret(unquote(parts.password or ""))
        headers = make_headers(proxy_basic_auth=f"{unquote(parts.username)}:{unquote(parts.password or '')}")
    return urllib3.ProxyManager(without_credentials(proxy), proxy_headers=headers, **given)  # type: ignore[arg-type]


def proxy_for(base_url: str) -> str | None:
    """The proxy that the environment names for this address; never one for the machine itself."""
    parts = urlsplit(base_url)
    if is_loopback(parts.hostname) or urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    found = urllib.request.getproxies()
    return found.get(parts.scheme) or found.get("all")


def explained(error: Exception, base_url: str) -> str:
    """Why no connection came about, and what to do."""
    told = presentable(str(error))
    begin = f"expected a server at {base_url}, but"
    if isinstance(error, exceptions.ProxyError):
        proxy = without_credentials(proxy_for(base_url) or "")
        return (
            f"{begin} the proxy {proxy} did not lead there: {told}. "
            "Correct HTTPS_PROXY or HTTP_PROXY, or name the host in NO_PROXY."
        )
    if isinstance(error, exceptions.SSLError):
        return f"{begin} {_tls(told)}"
    return f"{begin} the connection failed: {told}. Check the address, the port and that the server runs."


def _tls(told: str) -> str:
    lowered = told.lower()
    for words, what, remedy in _TLS:
        if any(word in lowered for word in words):
            return f"{what}: {told}. {remedy}"
    return f"TLS failed: {told}. Check the address, the port and --ca-file."


def speaks_tls(base_url: str, timeout: float = 5.0) -> bool:
    """Whether a handshake with this address succeeds, whoever's certificate it shows."""
    parts = urlsplit(base_url)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with (
            socket.create_connection((parts.hostname or "", parts.port or 80), timeout) as connection,
            context.wrap_socket(connection),
        ):
            return True
    except OSError:
        return False


def _context(trust: Trust, certificate: ClientCertificate | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not trust.verify:
        urllib3.disable_warnings(exceptions.InsecureRequestWarning)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if trust.ca_file is not None:
        _load(lambda: context.load_verify_locations(trust.ca_file), "--ca-file", trust.ca_file)
    if certificate is not None:
        own, key = certificate.certificate, certificate.key
        # An empty password instead of a question at the terminal.
        _load(lambda: context.load_cert_chain(own, key, lambda: ""), "--client-certificate", own)
    return context


def _load(read: Callable[[], None], option: str, file: Path) -> None:
    try:
        read()
    except (ssl.SSLError, ValueError) as error:
        raise PrerequisiteMissing(
            f"expected {option} with certificates in PEM, but {file} can't be used: {error}; "
            "convert it with `openssl x509 -outform pem`, or give the right file"
        ) from None
    except OSError as error:
        raise UsageError(f"{option}: {file} can't be read: {error.strerror}; give the right file") from None
