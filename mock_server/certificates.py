"""TLS for a mock: a certificate authority of its own for each start, and the server's certificate by it."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

NAMES = ("localhost", "127.0.0.1", "::1")
"""The hosts that every certificate is for."""


class Certificates(Struct, frozen=True):
    """The file of the authority, which clients are given, and those that the server reads when it starts."""

    ca_file: Path
    certificate_file: Path
    key_file: Path

    def server_context(self) -> ssl.SSLContext:
        """What a server in this process listens with."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


@contextmanager
def certificates(host: str, ca_file: Path | None = None) -> Iterator[Certificates]:
    """New certificates for a server at this host, for as long as the context lasts.

    The authority is written to `ca_file`, which stays, or else beside the others, which go with the context.
    Raises OSError where it can't be written.
    """
    import trustme  # noqa: PLC0415 - a fast start for those who need no TLS

    authority = trustme.CA(organization_name="mlconform mock")
    issued = authority.issue_cert(*dict.fromkeys((*NAMES, host)))
    with tempfile.TemporaryDirectory(prefix="mlconform-mock-") as folder:
        made = Certificates(
            ca_file=ca_file or Path(folder) / "ca.pem",
            certificate_file=Path(folder) / "mock.pem",
            key_file=Path(folder) / "mock-key.pem",
        )
        authority.cert_pem.write_to_path(str(made.ca_file))
        issued.private_key_pem.write_to_path(str(made.key_file))
        for number, part in enumerate(issued.cert_chain_pems):
            part.write_to_path(str(made.certificate_file), append=number > 0)
        yield made
