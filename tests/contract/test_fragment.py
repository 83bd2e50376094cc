from __future__ import annotations

import pytest

from mlconform.conformance.contract.fragment import bare, is_fragment, leaves

DOCUMENT = """openapi: 3.1.0
info:
  title: T
paths:
  /a/{id}:
    delete:
      summary: S
      parameters:
        - name: id
          in: path
        - name: other
          in: query
      responses:
        '200':
          description: OK
        '404':
          description: None
components:
  schemas:
    E:
      type: object
"""


def test_the_leaves_are_the_facts_of_the_document_with_their_lines() -> None:
    operation = ("paths", "/a/{id}", "delete")
    assert [(leaf.path, leaf.line) for leaf in leaves(DOCUMENT)] == [
        (("openapi",), 0),
        (("info",), 1),
        ((*operation, "summary"), 3),
        ((*operation, "parameters", "id"), 7),
        ((*operation, "parameters", "other"), 10),
        ((*operation, "responses", "200"), 12),
        ((*operation, "responses", "404"), 15),
        (("components", "schemas", "E"), 17),
    ]


@pytest.mark.parametrize("block", ["- a\n- b\n", "a: [\n"])
def test_what_is_no_mapping_is_refused(block: str) -> None:
    with pytest.raises(ValueError, match=r"mapping|YAML"):
        leaves(block)


def test_only_an_openapi_block_is_one() -> None:
    assert is_fragment("yaml https://x get /a", DOCUMENT)
    assert not is_fragment("yaml", "a: 1")


def test_a_bare_schema_keeps_a_member_called_description() -> None:
    schema = {"description": "text", "example": 1, "properties": {"description": {"type": "string"}}}
    assert bare(schema) == {"properties": {"description": {"type": "string"}}}
