"""Texts come back as they were put in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncgen.corpus.texts import TextStore


@given(batches=st.lists(st.lists(st.text())))
def test_texts_are_found_by_number(batches: list[list[str]]) -> None:
    store = TextStore()
    for batch in batches:
        store.extend(batch)
    texts = [text for batch in batches for text in batch]

    assert len(store) == len(texts)
    assert [store[index] for index in range(len(store))] == texts


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_text_beyond(index: int) -> None:
    store = TextStore()
    store.extend(["a", "b"])
    with pytest.raises(IndexError):
        store[index]
