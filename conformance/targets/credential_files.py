"""Credentials as the user gives them: in the address, in the environment, in files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml

from mlconform.conformance.errors import UsageError
from mlconform.conformance.targets.credentials import (
    ClientCertificate,
    Credentials,
    Secret,
    api_key,
    basic,
    bearer,
)

# A name becomes a part of the name of an environment variable.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FORMS = "username and password, token, api_key (header and value), or client_certificate (and client_key)"


def own_credentials(
    target: str, file: str | None, certificate: ClientCertificate | None
) -> Credentials | None:
    """The run's own account on a cluster: of the file, the address or the environment, in this order.

    Raises `UsageError` for a file that is none.
    """
    named = file or os.environ.get("MLCONFORM_CREDENTIALS")
    found = _from_file(named) if named else _from_address(target) or _from_environment()
    if certificate is None:
        return found
    return Credentials(
        found.name if found else "a client certificate", found.headers if found else {}, certificate
    )


def further_users(named: tuple[str, ...], own_file: str | None) -> tuple[Credentials, ...]:
    """Accounts that the run may act as besides its own: of `NAME=FILE`, and under `users` in its own file.

    Raises `UsageError` for what is neither, and for a name that is given twice.
    """
    found: dict[str, Credentials] = {}
    for number, text in enumerate(named, 1):
        name, equals, path = text.partition("=")
        if not _NAME.fullmatch(name) or not equals or not path:
            raise UsageError(
                f"expected --user NAME=FILE with letters, digits, - and _ in NAME, but number {number} is not"
            )
        _add(found, name, _taken(_read(path), path))
    own = own_file or os.environ.get("MLCONFORM_CREDENTIALS")
    listed = _read(own).get("users", {}) if own else {}
    if not isinstance(listed, dict):
        raise UsageError(f"{own}: expected users with a name and credentials each")
    for name, entry in listed.items():
        if not _NAME.fullmatch(str(name)):
            raise UsageError(f"{own}: expected names of users with letters, digits, - and _ alone")
        _add(found, str(name), _taken(entry, f"{own}, users, {name}"))
    return tuple(found.values())


def _add(found: dict[str, Credentials], name: str, credentials: Credentials) -> None:
    if name in found:
        raise UsageError(f"two users are named {name}; give each a name of its own")
    found[name] = replace(credentials, identity=name)


def header_values(headers: tuple[str, ...]) -> Mapping[str, Secret]:
    """Headers of `NAME: VALUE` or `NAME: @FILE`; raises `UsageError` for what is neither."""
    found = {}
    for number, text in enumerate(headers, 1):
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or not value.strip():
            raise UsageError(f"expected --header 'NAME: VALUE', but number {number} has no name or no value")
        value = value.strip()
        found[name.strip().lower()] = Secret(_text(value[1:]) if value.startswith("@") else value)
    return found


def _from_address(target: str) -> Credentials | None:
    parts = urlsplit(target)
    if not parts.username:
        return None
    password = unquote(parts.password or "") or os.environ.get("MLCONFORM_PASSWORD", "")
    return basic(unquote(parts.username), password)


def _from_environment() -> Credentials | None:
    user = os.environ.get("MLCONFORM_USERNAME")
    if user:
        return basic(user, os.environ.get("MLCONFORM_PASSWORD", ""))
    token = os.environ.get("MLCONFORM_CLUSTER_TOKEN", "").strip()
    return bearer(token) if token else None


def _from_file(path: str) -> Credentials:
    return _taken(_read(path), path)


def _read(path: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        # The error would show the line, and with it a secret.
        at = getattr(error, "problem_mark", None)
        line = f" (line {at.line + 1})" if at else ""
        raise UsageError(f"{path}: expected YAML with {_FORMS}{line}") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path}: expected YAML with {_FORMS}")
    return found


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise UsageError(f"{path}: credentials can't be read: {told}") from None


def _taken(found: Any, where: str) -> Credentials:
    if isinstance(found, dict):
        if "username" in found and "password" in found:
            return basic(str(found["username"]), str(found["password"]))
        if "token" in found:
            return bearer(str(found["token"]).strip())
        key = found.get("api_key")
        if isinstance(key, dict) and {"header", "value"} <= key.keys():
            return api_key(str(key["header"]), str(key["value"]))
        if "client_certificate" in found:
            own = found.get("client_key")
            files = ClientCertificate(Path(found["client_certificate"]), Path(own) if own else None)
            return Credentials("a client certificate", {}, files)
    raise UsageError(f"{where}: expected {_FORMS}")
