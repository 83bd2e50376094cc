"""An OpenAPI document inside a page: its YAML split into leaves, each with the lines it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_INTRO = re.compile(r"^\s*openapi:\s*['\"]?3", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part of the document that is accounted for as one. `line` counts from 0 inside the block."""

    path: tuple[str, ...]
    line: int


def is_fragment(info: str, block: str) -> bool:
    """Whether a fenced block with this info string is an OpenAPI document."""
    return info.split(" ", 1)[0].lower() in {"yaml", "yml", "json"} and bool(_INTRO.search(block))


def read(block: str) -> dict[str, Any]:
    """The document as plain values, every key as text: a status may be written as a number.

    Raises ValueError where it is no mapping in YAML.
    """
    try:
        value = yaml.safe_load(block)
    except (yaml.YAMLError, ValueError) as error:
        raise ValueError(f"not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(value, dict):
        raise ValueError("expected a mapping at the top of the OpenAPI document")  # noqa: TRY004
    read_value: dict[str, Any] = _text_keys(value)
    return read_value


def _text_keys(value: Any) -> Any:
    if isinstance(value, list):
        return [_text_keys(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _text_keys(inner) for name, inner in value.items()}
    return value


def merged(documents: Sequence[Any]) -> Any:
    """One document of several: mappings are joined, of anything else the last wins."""
    if not all(isinstance(document, dict) for document in documents):
        return documents[-1]
    names = dict.fromkeys(name for document in documents for name in document)
    return {name: merged([document[name] for document in documents if name in document]) for name in names}


def at(document: Any, *path: str) -> dict[str, Any]:
    """The mapping at a place of the document; an empty one where there is none."""
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, dict) else {}


def leaves(block: str) -> list[Leaf]:
    """The leaves in the order of their lines: metadata, members of operations, schemas.

    Raises ValueError where the block is not YAML or no mapping.
    """
    read(block)
    root = yaml.compose(block, Loader=yaml.SafeLoader)
    return list(_walk(root, (), 0)) if root is not None else []


def _is_leaf(path: tuple[str, ...]) -> bool:
    """Members of an operation count as one each, and so do its single parameters and responses."""
    if not path:
        return False
    if path[0] == "paths":
        return len(path) >= 5 or (len(path) == 4 and path[3] not in {"parameters", "responses"})
    return path[0] != "components" or len(path) >= 3


def _walk(node: yaml.Node, path: tuple[str, ...], line: int) -> Iterator[Leaf]:
    """A first child starts on its parent's line, so that no line is left between two leaves."""
    children = list(_children(node))
    if _is_leaf(path) or not children:
        yield Leaf(path, line)
        return
    for position, (name, child_line, child) in enumerate(children):
        yield from _walk(child, (*path, name), child_line if position else line)


def _children(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.line, value
    elif isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield _item_name(item) or str(position), item.start_mark.line, item


def _item_name(item: yaml.Node) -> str | None:
    """A parameter goes by its name, so that its key stays when another is put before it."""
    if isinstance(item, yaml.MappingNode):
        for key, value in item.value:
            if key.value == "name":
                return str(value.value)
    return None


def bare(schema: Any) -> Any:
    """A schema without what it tells people: descriptions and examples; members of that name stay."""
    if isinstance(schema, list):
        return [bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {member: bare(inner) for member, inner in value.items()}
        if name == "properties"
        else bare(value)
        for name, value in schema.items()
        if name not in {"description", "example", "examples"}
    }
