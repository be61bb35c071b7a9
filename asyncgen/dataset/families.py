"""Families: tasks that resemble each other, directly or through others.

Two tasks whose instructions have a ROUGE-L above a bound belong to one family.
What a model learns of one member, it knows of the others: a family on both
sides of a split would make a model look better than it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from asyncgen_kernels import Pool, Tokenizer

__all__ = ["families"]

_BLOCK = 4096  # texts compared at a time: bounds the memory, not the result
_NEAREST = 8  # looked at first: few texts have more above the bound


def families(
    texts: Sequence[str], bound: float, threads: int = 1, tokenizer: Tokenizer = "rouge"
) -> list[int]:
    """Return the family of each text, named by the place of its first member.

    Exact: no two texts of different families have a ROUGE-L F-measure above the
    bound. Equal texts are of one family even where they have no token to compare.

    Args:
        texts: Instructions.
        bound: In (0, 1].
        threads: For comparing; the result does not depend on it.
        tokenizer: How texts are cut to be compared.
    """
    from asyncgen_kernels import Pool

    pool = Pool(tokenizer=tokenizer)
    pool.add_many(texts)
    first: dict[str, int] = {}
    leader = [first.setdefault(text, place) for place, text in enumerate(texts)]
    for one, other in _near(pool, texts, bound, threads):
        _join(leader, one, other)
    return [_leader(leader, place) for place in range(len(texts))]


def _near(
    pool: Pool, texts: Sequence[str], bound: float, threads: int
) -> Iterator[tuple[int, int]]:
    """Yield every pair of places above the bound, the later one first."""
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        before = range(start, start + len(block))
        found = pool.similar(block, k=_NEAREST, before=before, threads=threads)
        for place, index, score in zip(
            before, found.index.tolist(), found.score.tolist(), strict=True
        ):
            if score[-1] > bound:
                scores = pool.scan(texts[place])[:place]
                index = (scores > bound).nonzero()[0].tolist()  # noqa: PLW2901 - all of them
                score = scores[index].tolist()  # noqa: PLW2901
            for other, value in zip(index, score, strict=True):
                if value > bound:
                    yield place, other


def _join(leader: list[int], one: int, other: int) -> None:
    """Make two families one; the earlier leader leads."""
    first, second = sorted((_leader(leader, one), _leader(leader, other)))
    leader[second] = first


def _leader(leader: list[int], place: int) -> int:
    while leader[place] != place:
        leader[place] = leader[leader[place]]
        place = leader[place]
    return place
