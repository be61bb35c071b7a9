"""The whole command on small corpora: what it tells, and what it refuses. Nothing is timed."""

from __future__ import annotations

import json
import random
from importlib import util
from typing import TYPE_CHECKING, Any

import pytest

from asyncgen.bench import timing
from asyncgen.bench.start import Start
from asyncgen.cli import bench
from asyncgen.cli.app import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Bench = Callable[..., tuple[int, str, str]]

MODES = [
    ("asyncgen", "decision"),
    ("asyncgen", "scan_single"),
    ("asyncgen", "scan_batch"),
    ("rapidfuzz", "cdist"),
    ("rapidfuzz", "extractOne"),
    ("rouge_score", "score"),
]


@pytest.fixture(autouse=True)
def _one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time everything once: the numbers do not matter here."""
    monkeypatch.setattr(timing, "_LEAST", 0.0)
    monkeypatch.setattr(timing, "_MOST", 0.0)


@pytest.fixture
def measure(capsys: pytest.CaptureFixture[str]) -> Bench:
    """Return the command in this process, as a function to exit code, output and errors."""

    def command(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["bench", "filter", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def written(path: Path, count: int, field: str = "instruction") -> Path:
    """Write random texts; from the 21st on, every second one is a text from before."""
    with path.open("w") as file:
        for number in range(count):
            chance = random.Random(number if number % 2 else number % 20)
            words = [f"word{chance.randrange(900)}" for _ in range(chance.randint(5, 30))]
            file.write(json.dumps({field: " ".join(words)}) + "\n")
    return path


def checked(out: str) -> dict[str, Any]:
    """Return the JSON object after looking at what it promises."""
    found: dict[str, Any] = json.loads(out)
    assert out.count("\n") == 1
    assert type(found["pool"]) is int
    assert type(found["candidates"]) is int
    assert found["agreement"] == found["nearest_agreement"] == 1.0
    for name in ("bytes_per_entry", "build_s", "tokens_per_entry", "score_table_us_per_candidate"):
        assert found[name] > 0
    for name in ("decision", "decision_alone", "text_decision"):
        assert all(found[name][key] > 0 for key in ("mean_us", "p50_us", "p99_us"))
    for one in found["contenders"]:
        assert one["ns_per_pair"] * found["pool"] / 1000 == pytest.approx(one["us_per_candidate"])
    return found


def test_all_is_told_as_json(measure: Bench, tmp_path: Path) -> None:
    corpus = written(tmp_path / "corpus.jsonl", 400, "prompt")
    flags = ("--field", "prompt", "--pool", "300", "--candidates", "70", "--no-start")

    code, out, err = measure("--corpus", corpus, *flags, "--json")

    assert code == 0, err
    found = checked(out)
    assert (found["pool"], found["candidates"], found["agreement_checked"]) == (300, 70, 70)
    assert found["cold_start_s"] is None
    assert found["cached_start_s"] is None
    assert 0 < found["rejected"] < 1
    assert [(one["name"], one["mode"]) for one in found["contenders"]] == MODES
    assert found["contenders"][0]["ratio"] == 1.0
    assert [step["pool"] for step in found["growth"]] == [19, 75, 300]
    assert isinstance(found["exponent"], float)


def test_all_is_told_in_words(measure: Bench) -> None:
    code, out, err = measure("--synthetic", "100", "--candidates", "40", "--no-start")

    assert code == 0, err
    assert out.startswith("synthetic texts: a pool of 100, 1")
    for name, mode in MODES:
        assert f"  {name:<12}{mode:<12}" in out
    assert "growth  7: " in out
    assert "on 40 candidates: decisions 100.00%, with nearest and score 100.00%" in out
    assert all(line.startswith("asyncgen: ") for line in err.splitlines())


def test_the_start_is_told_when_measured(
    measure: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("asyncgen.bench.filter.measured_start", lambda: Start(9.75, 0.5))
    flags = ("--corpus", written(tmp_path / "corpus", 20), "--against", "", "--pool", "9")

    code, out, err = measure(*flags, "--json")

    assert code == 0, err
    found = checked(out)
    assert (found["cold_start_s"], found["cached_start_s"]) == (9.75, 0.5)
    assert {one["name"] for one in found["contenders"]} == {"asyncgen"}
    assert (found["pool"], found["candidates"]) == (9, 11)
    assert "start   9.8 s the first time, 0.50 s with cached kernels" in measure(*flags)[1]


@pytest.mark.parametrize("content", [["", " ", ""], ["?", "", "a b"], ["a b", "c d", ""]])
def test_texts_without_tokens_are_measured_too(
    measure: Bench, tmp_path: Path, content: list[str]
) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("".join(json.dumps({"instruction": text}) + "\n" for text in content))

    code, out, err = measure("--corpus", corpus, "--no-start", "--json")

    assert code == 0, err
    assert checked_small(out) == (2, 1, 1.0)


def checked_small(out: str) -> tuple[int, int, float]:
    found = json.loads(out)
    return found["pool"], found["candidates"], found["agreement"]


@pytest.mark.parametrize("tokenizer", ["rouge", "unicode"])
@pytest.mark.parametrize("threshold", ["0.3", "1"])
def test_the_threshold_and_the_tokenizer_are_those_asked_for(
    measure: Bench, tmp_path: Path, tokenizer: str, threshold: str
) -> None:
    corpus = written(tmp_path / "corpus", 60)
    flags = ("--tokenizer", tokenizer, "--threshold", threshold, "--no-start", "--json")
    peers = ("--against", "rapidfuzz")

    code, out, err = measure("--corpus", corpus, *flags, *peers)

    assert code == 0, err
    found = checked(out)
    assert (found["tokenizer"], found["threshold"]) == (tokenizer, float(threshold))
    assert (found["rejected"] == 0) == (threshold == "1")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--against rapidfuzz,levenshtein", "--against levenshtein: unknown; there are: rapid"),
        ("--corpus {in} --pool 45", "{in}: has 40 rows, but 45 for the pool and 1 candidates are"),
        ("--corpus {in} --pool 40", "{in}: has 40 rows, but 40 for the pool and 1 candidates are"),
        ("--corpus {in} --candidates 40", "{in}: has 40 rows, but 1 for the pool and 40"),
        ("--corpus {in} --pool 39 --candidates 2", "{in}: has 40 rows, but 39 for the pool and 2"),
        ("--corpus {dir}/absent", "{dir}/absent: cannot be read (No such file or directory)"),
        ("--corpus {dir}", "{dir}: cannot be read (Is a directory)"),
        ("--corpus -", "--corpus -: must be a file"),
        ("--corpus {in} --field text", "{in}:1: no field 'text'; it has: instruction"),
        ("--corpus {in} --synthetic 50", "--corpus and --synthetic: one of them"),
        ("--synthetic 50 --field text", "--field: needs a --corpus"),
        ("--corpus {in} --pool 0", "--pool"),
        ("--corpus {in} --candidates 0", "--candidates"),
        ("--synthetic 0", "--synthetic"),
        ("--synthetic many", "--synthetic"),
        ("--corpus {in} --threshold 0", "--threshold 0.0: must lie in (0, 1]"),
        ("--corpus {in} --threshold nan", "--threshold nan: must lie in (0, 1]"),
        ("--corpus {in} --tokenizer nltk", "--tokenizer"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(
    measure: Bench, tmp_path: Path, flags: str, said: str
) -> None:
    corpus = str(written(tmp_path / "in", 40))

    def placed(text: str) -> str:
        return text.replace("{dir}", str(tmp_path)).replace("{in}", corpus)

    line = refused(measure, *placed(flags).split())

    assert placed(said) in line


def test_a_missing_contender_is_named_with_what_to_install(
    measure: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    corpus = written(tmp_path / "corpus", 20)

    def found(name: str) -> object:
        return None if name == "rouge_score" else util.find_spec(name)

    monkeypatch.setattr(bench, "find_spec", found)

    line = refused(measure, "--corpus", corpus, "--against", "rouge_score")

    assert "--against rouge_score: is not installed: pip install rouge-score" in line
    code, out, _ = measure("--corpus", corpus, "--no-start", "--json")
    assert code == 0
    assert {one["name"] for one in json.loads(out)["contenders"]} == {"asyncgen", "rapidfuzz"}


def refused(measure: Bench, *arguments: str | Path) -> str:
    code, out, err = measure(*arguments)

    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1, err
    assert err.startswith("asyncgen: error: ")
    return err
