"""Which checks decide which requirement: read from the suites' source, without importing them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from mlconform.conformance.contract.errors import ContractError

Decided = dict[str, tuple[str, ...]]


def decided_by(suites: Path) -> Decided:
    """The checks of each requirement id, as node ids relative to `suites`, sorted.

    A check is a test function or class decorated with `@requirement("id", ...)` in a file `test_*.py`, or
    with parameters that are each marked so, or written as `deciding("id", ...)`.
    Raises ContractError for a file that is not Python and for an id that is not a plain string.
    """
    found: dict[str, set[str]] = {}
    for path in sorted(suites.rglob("test_*.py")):
        name = path.relative_to(suites).as_posix()
        for node_id, requirement in _decorated(path, name):
            found.setdefault(requirement, set()).add(node_id)
    return {requirement: tuple(sorted(checks)) for requirement, checks in sorted(found.items())}


def _decorated(path: Path, name: str) -> Iterator[tuple[str, str]]:
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ContractError(f"{name}: the checks can't be read: {error}; correct the file first") from None
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _of_node(node, f"{name}::{node.name}", name)
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from _of_node(inner, f"{name}::{node.name}::{inner.name}", name)


def _of_node(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, node_id: str, name: str
) -> Iterator[tuple[str, str]]:
    for call in (inner for decorator in node.decorator_list for inner in ast.walk(decorator)):
        for argument in _ids(call):
            if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                raise ContractError(
                    f"{name}:{argument.lineno}: expected requirement ids as plain strings in @requirement, "
                    f"found {ast.unparse(argument)}; write them out, so that they can be read from the source"
                )
            yield node_id, argument.value


def _ids(node: ast.AST) -> list[ast.expr]:
    """The arguments of a call that are requirement ids."""
    called = _called(node.func) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or called not in ("requirement", "deciding"):
        return []
    return node.args if called == "requirement" else node.args[:1]


def _called(function: ast.expr) -> str | None:
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else None
