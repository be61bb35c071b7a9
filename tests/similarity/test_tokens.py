"""Text to ids: both tokenizers, and the vocabulary against a dict."""

from __future__ import annotations

import gzip
import json
import threading
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rouge_score import tokenize as rouge_tokenize
from similarity import reference

from asyncgen_kernels import text as text_module
from asyncgen_kernels import text_kernels
from asyncgen_kernels.characters import ALONE, MARK, SEPARATOR, WORD, ascii_kinds, unicode_kinds
from asyncgen_kernels.text import UNKNOWN, Encoded, Tokenizer, Vocabulary, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

STREAM = Path(__file__).parents[2].parent / "shared" / "data" / "instruction_stream.jsonl.gz"

TOKENIZERS: tuple[Tokenizer, ...] = ("rouge", "unicode")

# Everything that Unicode has assigned, but for most of what is private.
POINTS = [*range(0x33480), *range(0xE0000, 0xE0200), 0xF0000, 0x10FFFF]

AWKWARD = [
    "",
    " \t\n",
    "!?…—",
    "Write a C++ program, please; 3.14 times!",
    "under_score and-dash it's",
    "3 \u212a is three Kelvin: K, k, \u212aelvin",
    "\u0130stanbul",
    "\u017ftraße ẞ",
    "ΣΊΣΥΦΟΣ",
    "\uff26\uff35\uff2c\uff2c width \uff11\uff12",
    "x² ½ ① Ⅷ",
    "naïve café e\u0301te\u0301",
    "写一首诗 abc 日本語x",
    "🙂a🙂b",
    "zero\u200bwidth\u00adsoft",
    "nul\x00byte\x85next\u2028line",
    "a\ud800b",  # a lone surrogate, as broken JSON gives it
    "\u0301 stray \U000e0100",
    "ฉันรักเธอ ๒๕๖๗",
    "\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff",
    "a1234567 a12345678 a123456789012345 a1234567890123456",
]

# Characters of all planes, surrogates among them, and tokens around the length of a key.
CHARACTERS = st.characters(exclude_categories=())
WORDS = st.text("aB1é字ก็\u0301", min_size=1, max_size=18)
TEXTS = st.text(CHARACTERS, max_size=40) | st.lists(WORDS, max_size=12).map(" ".join)


def texts_of(encoded: Encoded, vocabulary: Vocabulary) -> list[list[str]]:
    """The tokens of each text, told by the vocabulary."""
    tokens = [vocabulary.token(number) for number in encoded.tokens.tolist()]
    return [tokens[begin:end] for begin, end in pairwise(encoded.offsets.tolist())]


def check_batch(texts: Sequence[str], tokenizer: Tokenizer) -> None:
    """Learned at once, one by one, and found: the tokens of the definition, numbered by a dict."""
    cut = [tokenize(text, tokenizer) for text in texts]
    ids: dict[str, int] = {}
    expected = [ids.setdefault(token, len(ids)) for tokens in cut for token in tokens]
    vocabulary, one_by_one = Vocabulary(tokenizer), Vocabulary(tokenizer)
    before = vocabulary.find(texts)
    learned = vocabulary.learn(texts)

    assert before.tokens.tolist() == [UNKNOWN] * len(expected)
    assert learned.tokens.tolist() == vocabulary.find(texts).tokens.tolist() == expected
    assert learned.tokens.dtype == np.int32
    assert learned.offsets.dtype == np.int64
    assert before.offsets.tolist() == learned.offsets.tolist()
    assert texts_of(learned, vocabulary) == cut
    assert [n for text in texts for n in one_by_one.learn([text]).tokens.tolist()] == expected
    assert len(vocabulary) == len(one_by_one) == len(ids)


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_texts_are_cut_as_by_rouge_score(text: str) -> None:
    assert tokenize(text) == rouge_tokenize.tokenize(text, None) == reference.tokens_of(text)


@settings(deadline=None)
@given(st.text(CHARACTERS, max_size=60))
@example("\u212a\u0130")
def test_any_text_is_cut_as_by_rouge_score(text: str) -> None:
    assert tokenize(text) == rouge_tokenize.tokenize(text, None) == reference.tokens_of(text)


def test_every_character_is_cut_as_by_rouge_score() -> None:
    """Which characters stand in a token, which end one."""
    text = "".join(f"a{chr(point)}b " for point in POINTS)

    assert tokenize(text) == rouge_tokenize.tokenize(text, None)


def test_lower_casing_comes_first() -> None:
    assert tokenize("\u212a") == ["k"]
    assert tokenize("\u0130i") == ["i", "i"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't under_score, e-mail 3.14!", "Don t under score e mail 3 14"),
        ("\uff26ull ﬁne x² ½ ①", "full fine x2 1 2 1"),
        ("É e\u0301 İ", "é é i\u0307"),
        ("ΣΊΣΥΦΟΣ Привет", "σίσυφος привет"),
        ("नमस्ते বাংলা שָׁלוֹם", "नमस्ते বাংলা שָׁלוֹם"),
        ("한국어 글쓰기", "한국어 글쓰기"),
        ("写诗abc 人々 カタカナ ｶﾞ", "写 诗 abc 人 々 カ タ カ ナ ガ"),
        ("ฉันรัก ๒๕๖๗", "ฉั น รั ก ๒๕๖๗"),
        ("ខ្មែរ", "ខ្ មែ រ"),
        ("1\ufe0f\u20e3 ☺\ufe0f \u0301a", "1\ufe0f\u20e3 a"),
        ("zero\u200bwidth a\ud800b \ue000", "zero width a b"),
    ],
)
def test_the_unicode_tokenizer_knows_scripts(text: str, expected: str) -> None:
    normal = unicodedata.normalize("NFKC", expected).lower()  # as this file may be saved otherwise

    assert tokenize(text, "unicode") == normal.split()


def test_every_character_has_the_kind_of_its_category_and_script() -> None:
    """Scripts by the characters' names, which the table does not know."""
    without_blanks = (
        *("THAI ", "LAO ", "KHMER ", "MYANMAR ", "TAI ", "NEW TAI ", "AHOM "),
        *("BALINESE ", "JAVANESE ", "YI ", "NUSHU ", "KHITAN ", "TANGUT "),
        *("CJK ", "HIRAGANA ", "KATAKANA", "BOPOMOFO ", "IDEOGRAPHIC ", "HANGZHOU ", "MASU MARK"),
        *("HENTAIGANA ", "VERTICAL KANA ", "VERTICAL IDEOGRAPHIC ", "OLD CHINESE "),
    )
    kinds = {"L": WORD, "N": WORD, "M": MARK}
    for point, kind in enumerate(unicode_kinds().tolist()):
        category = unicodedata.category(chr(point))
        expected = kinds.get(category[0], SEPARATOR)
        name = unicodedata.name(chr(point), "TANGUT ") if expected == WORD else ""
        if category != "Nd" and name.startswith(without_blanks) and "TALLY" not in name:
            expected = ALONE
        if expected != kind:  # normalised away before it could matter
            assert not unicodedata.is_normalized("NFKC", chr(point))


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_awkward_texts_are_learned_as_defined(tokenizer: Tokenizer) -> None:
    check_batch(AWKWARD, tokenizer)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@settings(deadline=None)
@given(texts=st.lists(TEXTS, max_size=6))
def test_any_texts_are_learned_as_defined(tokenizer: Tokenizer, texts: list[str]) -> None:
    check_batch(texts, tokenizer)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("before", ["", "x", "é", "写", "\u0301"])
@pytest.mark.parametrize("at", [0, 1, 62, 63, 64, 65, 127, 128])
def test_tokens_at_the_edges_of_blocks(tokenizer: Tokenizer, before: str, at: int) -> None:
    """Texts are read 64 bytes at a time: tokens of all lengths begin and end where a block does."""
    for length in (*range(1, 21), 63, 64, 65, 200):
        for letter in ("Q", "é", "写", "a\u0301"):
            blanks = " " * (at - len(before.encode()))
            token = letter * length
            check_edges([f"{blanks}{before}{token}", f"{before}{blanks}{token} {token}"], tokenizer)


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("letter", ["b", "ß", "語", "𐐨"])
def test_texts_that_end_anywhere_in_a_block(tokenizer: Tokenizer, letter: str) -> None:
    for size in range(140):
        check_edges(["", "a" * size, "", letter, " " * size + letter, ""], tokenizer)


def check_edges(texts: Sequence[str], tokenizer: Tokenizer) -> None:
    """Learned at once: the tokens of the definition."""
    vocabulary = Vocabulary(tokenizer)

    assert texts_of(vocabulary.learn(texts), vocabulary) == [
        tokenize(text, tokenizer) for text in texts
    ]


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@settings(deadline=None)
@given(
    texts=st.lists(
        st.lists(
            st.sampled_from(["a", " ", "é", "写", "\u0303", "๒", "𐐨", "—", "Z9"])
            | st.integers(1, 70).map("x".__mul__)
            | st.integers(1, 70).map(" ".__mul__)
            | st.integers(1, 30).map("\u0324".__mul__),
            max_size=30,
        ).map("".join),
        max_size=5,
    )
)
def test_blocks_of_any_characters_are_learned_as_defined(
    tokenizer: Tokenizer, texts: list[str]
) -> None:
    check_edges(texts, tokenizer)


def test_both_tokenizers_see_the_same_in_ascii() -> None:
    """Which is why the kernel asks no table about it."""
    lower = [ord(character.lower()) for character in map(chr, range(0x80))]

    assert ascii_kinds()[lower].tolist() == unicode_kinds()[lower].tolist()


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_every_character_is_learned_as_defined(tokenizer: Tokenizer) -> None:
    """Which characters join the letters around them, which part them, which stand alone."""
    text = "".join(f"a{chr(point)}b " for point in POINTS)
    ids: dict[str, int] = {}
    expected = [ids.setdefault(token, len(ids)) for token in tokenize(text, tokenizer)]

    assert Vocabulary(tokenizer).learn([text]).tokens.tolist() == expected


@pytest.mark.parametrize("tokenizer", TOKENIZERS)
@pytest.mark.parametrize("letter", ["x", "é", "𝒳𐐀"])
def test_long_tokens_are_told_apart_to_their_last_byte(tokenizer: Tokenizer, letter: str) -> None:
    long = letter * 50_000

    check_batch(
        [long, f"{long}1", f"{long}2 {long}", f"1{long}", f"{letter * 9} {letter}"], tokenizer
    )


@pytest.mark.skipif(not STREAM.exists(), reason="the shared data folder is not here")
def test_real_instructions_are_learned_as_by_rouge_score() -> None:
    with gzip.open(STREAM, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line)["instruction"] for line in lines][::10]
    vocabulary = Vocabulary()
    for start in range(0, len(rows), 64):
        batch = rows[start : start + 64]
        expected = [rouge_tokenize.tokenize(text, None) for text in batch]

        assert texts_of(vocabulary.learn(batch), vocabulary) == expected


def test_ids_follow_the_order_of_first_sight() -> None:
    vocabulary = Vocabulary()
    first, second = vocabulary.learn(["b a, b", "", "C a"]), vocabulary.learn(["d B"])

    assert first.tokens.tolist() == [0, 1, 0, 2, 1]
    assert first.offsets.tolist() == [0, 3, 3, 5]
    assert second.tokens.tolist() == [3, 0]
    assert [vocabulary.token(number) for number in range(4)] == ["b", "a", "c", "d"]
    assert repr(vocabulary) == "<Vocabulary tokenizer=rouge tokens=4>"


def test_finding_learns_nothing() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(["a b"])

    assert vocabulary.find(["b new", "new"]).tokens.tolist() == [1, UNKNOWN, UNKNOWN]
    assert len(vocabulary) == 2


@pytest.mark.parametrize("texts", [[], [""], ["¿?", "", "\0"]])
def test_texts_without_tokens_give_an_empty_array(texts: list[str]) -> None:
    vocabulary = Vocabulary()
    for encoded in (vocabulary.learn(texts), vocabulary.find(texts)):
        assert encoded.tokens.shape == (0,)
        assert encoded.offsets.tolist() == [0] * (len(texts) + 1)


def test_a_vocabulary_contains_tokens_and_nothing_like_them() -> None:
    vocabulary = Vocabulary("unicode")
    vocabulary.learn(["写 word"])

    assert vocabulary.tokenizer == "unicode"
    assert "写" in vocabulary
    assert "word" in vocabulary
    for other in ("Word", "word word", " word", "wor", "", 0, None):
        assert other not in vocabulary


@pytest.mark.parametrize("number", [-1, 2])
def test_only_ids_have_tokens(number: int) -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(["a b"])

    with pytest.raises(IndexError, match=str(number)):
        vocabulary.token(number)


def test_other_tokenizers_are_refused() -> None:
    wrong: Tokenizer = "words"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    for call in (lambda: tokenize("a", wrong), lambda: Vocabulary(wrong)):
        with pytest.raises(ValueError, match="'words'"):
            call()


@pytest.mark.parametrize("size", [1, 1000, 50_000])
def test_ids_survive_growth(size: int) -> None:
    """Tens of thousands of tokens, short and long, in batches of one to all."""
    words = [f"w{number}" if number % 3 else f"longer{number}word" for number in range(50_000)]
    vocabulary = Vocabulary()
    few = words[: 50_000 if size > 1 else 3000]
    for start in range(0, len(few), size):
        learned = vocabulary.learn(few[start : start + size])

        assert learned.tokens.tolist() == list(range(start, start + learned.tokens.size))

    assert vocabulary.find(few).tokens.tolist() == list(range(len(few)))
    assert [vocabulary.token(number) for number in range(len(few))] == few
    assert vocabulary.nbytes < 110 * max(len(few), 1000)


def test_tokens_with_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all tokens beyond eight bytes had the same."""
    split = text_kernels.split

    def split_badly(
        buffer: NDArray[np.uint8],
        kinds: NDArray[np.uint8],
        spans: NDArray[np.uint64],
        offsets: NDArray[np.int64],
    ) -> int:
        count = split(buffer, kinds, spans, offsets)
        spans[:count, 0][spans[:count, 2] - spans[:count, 1] > 8] = 1 << 63
        return count

    monkeypatch.setattr(text_kernels, "split", split_badly)
    words = [f"{'a' * (9 + number % 7)}{number}" for number in range(1500)]

    check_batch([" ".join(words[:700]), *words[500:], "short", "words"], "rouge")


def test_a_full_vocabulary_goes_on_with_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "_MOST_TOKENS", 1024)
    vocabulary = Vocabulary()
    vocabulary.learn(["w0 w1"])
    for _ in range(2):
        with pytest.raises(OverflowError, match="1024"):
            vocabulary.learn([" ".join(f"w{number}" for number in range(1025))])

        assert vocabulary.find(["w1 w2000"]).tokens.tolist() == [1, UNKNOWN]

    assert vocabulary.learn(["w1023 w0"]).tokens.tolist() == [1023, 0]
    assert vocabulary.find(["w500 w1024"]).tokens.tolist() == [500, UNKNOWN]
    assert len(vocabulary) == 1024


def test_readers_see_all_of_a_batch_or_nothing_while_one_thread_learns() -> None:
    batches = [
        [f"w{batch}x{word} muchlonger{batch}x{word}" for word in range(25)] for batch in range(600)
    ]
    vocabulary = Vocabulary()
    seen: list[tuple[int, list[int]]] = []
    learned = threading.Event()

    def read() -> None:
        number = 0
        while not learned.is_set():
            number = (number + 7) % len(batches)
            for batch in (number, len(vocabulary) // 50):
                tokens = vocabulary.find(batches[min(batch, 599)]).tokens
                seen.append((min(batch, 599), tokens.tolist()))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for texts in batches:
        vocabulary.learn(texts)
    learned.set()
    for reader in readers:
        reader.join()

    assert len(seen) > 10
    for batch, ids in seen:
        assert ids in ([UNKNOWN] * 50, list(range(50 * batch, 50 * batch + 50)))
