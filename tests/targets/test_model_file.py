"""The run's own local model: the same bytes each time, and a model."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from mlconform.conformance.targets import model_file
from mlconform.conformance.targets.model_file import LARGEST_CHUNK_BYTES, WEIGHTS, ModelFile


def test_the_same_bytes_everywhere() -> None:
    # Whoever changes the model changes this too, and records anew what nodes tell of it.
    assert model_file.small().sha256 == "ca849efff7d37727ed58d1d8ff23fe554ef694536448eecb50bc799454f8ea8f"


@pytest.mark.parametrize("file", [model_file.small(), model_file.large()], ids=["small", "large"])
def test_it_has_a_tokenizer_and_a_weight_for_each_of_its_words(file: ModelFile) -> None:
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert sorted(archive.namelist()) == ["idf.json", "tokenizer.json"]
        assert json.loads(archive.read("idf.json")) == WEIGHTS
        vocabulary = json.loads(archive.read("tokenizer.json"))["model"]["vocab"]
    assert set(WEIGHTS) < set(vocabulary)
    assert sorted(vocabulary.values()) == list(range(len(vocabulary)))


def test_size_and_hash_are_those_of_the_content() -> None:
    file = ModelFile(b"abc")
    assert (file.size, file.sha256) == (3, hashlib.sha256(b"abc").hexdigest())


def test_the_large_one_does_not_fit_one_chunk() -> None:
    assert model_file.large().size > LARGEST_CHUNK_BYTES


@pytest.mark.parametrize("count", [1, 2, 3])
def test_chunks_are_the_content_in_order(count: int) -> None:
    chunks = model_file.small().chunks(count)
    assert len(chunks) == count
    assert b"".join(chunks) == model_file.small().content


def test_without_its_tokenizer_it_is_a_zip_and_no_model() -> None:
    with zipfile.ZipFile(io.BytesIO(model_file.without_tokenizer().content)) as archive:
        assert archive.namelist() == ["idf.json"]


def test_what_is_no_zip() -> None:
    assert not zipfile.is_zipfile(io.BytesIO(model_file.no_zip().content))
