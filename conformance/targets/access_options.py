"""What the user says about who the run is and how the target is trusted; a secret is never among it,
but in files, in the environment and in the values of headers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class AccessOptions:
    """The options of `run`, `sweep` and `doctor` that concern access to the target.

    `user` are `NAME=FILE`, `header` are `NAME: VALUE` or `NAME: @FILE` and show themselves nowhere.
    `create_users` lets the run make users of its own through the Security API.
    """

    credentials: str | None = None
    user: tuple[str, ...] = ()
    create_users: bool = False
    header: tuple[str, ...] = field(default=(), repr=False)
    ca_file: str | None = None
    server_name: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    @classmethod
    def taken_from(cls, get: Callable[[str], Any]) -> AccessOptions:
        """The options as `get` knows them by name."""
        return cls(
            credentials=get("credentials"),
            user=tuple(get("user")),
            create_users=get("create_users"),
            header=tuple(get("header")),
            ca_file=get("ca_file"),
            server_name=get("server_name"),
            client_certificate=get("client_certificate"),
            client_key=get("client_key"),
        )

    def arguments(self, prefix: str = "--") -> Iterator[str]:
        """These options on a command line, each in a word of its own, headers too."""
        for each in fields(self):
            name, value = f"{prefix}{each.name.replace('_', '-')}", getattr(self, each.name)
            if each.name in FLAGS:
                yield from [name] if value else []
            else:
                values = value if each.name in REPEATABLE else [value] if value else []
                yield from (f"{name}={one}" for one in values)

    @property
    def repeated(self) -> tuple[str, ...]:
        """What a repetition of the run needs of them, without the values of headers."""
        return tuple(word for word in self.arguments() if not word.startswith("--header="))


REPEATABLE: Final = ("user", "header")
FLAGS: Final = ("create_users",)
HELP: Final = {
    "credentials": "YAML file with username and password, token, api_key or client_certificate",
    "user": "NAME=FILE, a user that the run may also act as (see the how-to on secured clusters); repeatable",
    "create_users": "allow the run to make the users it needs through the Security API, and remove them",
    "header": "'NAME: VALUE' or 'NAME: @FILE', sent with every request, for a gateway; repeatable",
    "ca_file": "certificates (PEM) of the authority that signed the target's",
    "server_name": "name that the target's certificate is for, where the address is another",
    "client_certificate": "certificate (PEM) that the run shows",
    "client_key": "its key (PEM), where it is in a file of its own",
}
