"""A secured mock in this process, and a client for each of its users."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from mlconform.mock_server import DEFAULT_PASSWORD, Security

Users = Callable[..., Any]


@pytest.fixture
def secured(make_client: Callable[..., Any]) -> Callable[..., Users]:
    """Makes a secured mock with these options, and gives a client of it for a user with a password."""

    def make(**options: Any) -> Users:
        if options.setdefault("behaviour", "documented") == "documented":
            options.setdefault("docs_version", "3.4")
        client = make_client(security=Security(), **options)

        def user(name: str, password: str = DEFAULT_PASSWORD) -> Any:
            encoded = base64.b64encode(f"{name}:{password}".encode()).decode()
            return dataclasses.replace(client, headers={"authorization": f"Basic {encoded}"})

        return user

    return make


@pytest.fixture
def users(secured: Callable[..., Users]) -> Users:
    """The users of a mock that follows the pages of 3.4."""
    return secured()


@pytest.fixture
def controlled(users: Users) -> Users:
    """The same users, with model access control on."""
    users("admin").setting("model_access_control_enabled", True)
    return users
