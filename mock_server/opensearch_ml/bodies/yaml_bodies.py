"""Bodies in YAML, read and written as OpenSearch does; a mock that nobody sends YAML never loads this."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import yaml

from mlconform.mock_server.opensearch_ml.bodies.document import EMPTY, MAX_DEPTH, Document, too_deep
from mlconform.mock_server.opensearch_ml.errors import parse_error


class _PlainLoader(yaml.SafeLoader):
    """YAML with JSON's types only: no dates, no aliases (which can grow without bound)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not supported")
        return super().compose_node(parent, index)


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(body: bytes) -> Document:
    """Decode a YAML body; blank bodies are empty. Raises ApiError 400 for what JSON could not say either."""
    try:
        text = body.decode("utf-8")
        if not text.strip():
            return EMPTY
        value = yaml.load(text, _PlainLoader)  # a SafeLoader with fewer types
        return Document(text, _plain(value, 0), yaml=True)
    except RecursionError:
        raise too_deep() from None
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise parse_error(f"Failed to parse the YAML body: {reason}") from None


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise too_deep()
    if isinstance(value, dict):
        return {_key(key): _plain(member, depth + 1) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number must be finite")
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"a {type(value).__name__} has no place in a request body")


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, int | float):
        return str(key)
    raise ValueError("a key must be a string")


def write_yaml(value: Any) -> str:
    """YAML as OpenSearch writes it: block style, every string in double quotes."""
    return "---\n" + "".join(f"{line}\n" for line in _yaml_lines(value))


def _yaml_lines(value: Any) -> list[str]:
    if isinstance(value, dict) and value:
        lines = []
        for key, member in value.items():
            name = key if re.fullmatch(r"[A-Za-z_][\w.-]*", key) else json.dumps(key)
            nested = _yaml_lines(member)
            if isinstance(member, dict | list) and member:
                indent = "  " if isinstance(member, dict) else ""
                lines += [f"{name}:", *(indent + line for line in nested)]
            else:
                lines.append(f"{name}: {nested[0]}")
        return lines
    if isinstance(value, list) and value:
        lines = []
        for item in value:
            first, *others = _yaml_lines(item)
            lines += [f"- {first}", *(f"  {line}" for line in others)]
        return lines
    return [json.dumps(value)]
