"""An export appears whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from dataset.material import many

from asyncgen.dataset.bundle import Plan, arrange
from asyncgen.dataset.export import paths_of, write_files
from asyncgen.dataset.folder import replace_folder
from asyncgen.dataset.formats import FORMATS
from asyncgen.errors import CorpusError, ExportError

if TYPE_CHECKING:
    from collections.abc import Generator

OLD = {"README.md": b"old card", "data/train.parquet": b"old rows"}
NEW = {"README.md": b"new card", "data/train.parquet": b"n" * 5000, "data/more.parquet": b"more"}


def anything(_name: str) -> bool:
    return True


def found_in(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("before", [None, {}, OLD])
def test_a_folder_becomes_exactly_what_is_written(
    tmp_path: Path, before: dict[str, bytes] | None
) -> None:
    place = tmp_path / "hf"
    if before is not None:
        place.mkdir()
        replace_folder(place, before, anything)
    replace_folder(place, NEW, anything)

    assert found_in(place) == NEW
    assert names(tmp_path) == {"hf"}


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    replace_folder(tmp_path / "real", OLD, anything)
    (tmp_path / "link").symlink_to("real")
    replace_folder(tmp_path / "link", NEW, anything)

    assert (tmp_path / "link").is_symlink()
    assert found_in(tmp_path / "real") == NEW


def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path: Path) -> None:
    place = tmp_path / "hf"
    replace_folder(place, {**OLD, "data/thesis.txt": b"mine"}, anything)
    before = found_in(place)
    with pytest.raises(ExportError, match=r"hf: holds data/thesis\.txt, which no export wrote"):
        replace_folder(place, NEW, lambda name: not name.endswith(".txt"))

    assert found_in(place) == before
    assert names(tmp_path) == {"hf"}


def test_a_link_inside_is_something_else_and_not_followed(tmp_path: Path) -> None:
    replace_folder(tmp_path / "hf", OLD, anything)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "hf" / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ExportError, match="holds link"):
        replace_folder(tmp_path / "hf", NEW, lambda name: name in OLD)


def test_a_file_is_no_folder_and_is_kept(tmp_path: Path) -> None:
    (tmp_path / "hf").write_text("precious")
    with pytest.raises(ExportError, match="is a file"):
        replace_folder(tmp_path / "hf", NEW, anything)

    assert (tmp_path / "hf").read_text() == "precious"


KILLED = """
import sys
from pathlib import Path
from asyncgen.corpus.sink import Sink
from asyncgen.dataset.folder import replace_folder

def pause():
    print("half", flush=True)
    sys.stdin.read()

class Halting(dict):
    def items(self):
        for number, item in enumerate(super().items()):
            if number == 1:
                pause()
            yield item

place = Path(sys.argv[2])
if sys.argv[1] == "folder":
    new = Halting({"README.md": b"new card", "data/train.parquet": b"new rows"})
    replace_folder(place, new, lambda name: True)
else:
    with Sink(place) as sink:
        sink.write(b"new")
        sink.finish()
        pause()
        sink.commit()
"""


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_sigkill_half_way_leaves_the_old_output_whole(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "out"
    if kind == "folder":
        replace_folder(place, OLD, anything)
    else:
        place.write_bytes(b"old")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, kind, str(place)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)

    assert len(names(tmp_path)) == 2, "it was not writing"
    if kind == "folder":
        assert found_in(place) == OLD
        replace_folder(place, NEW, anything)
        assert found_in(place) == NEW
    else:
        assert place.read_bytes() == b"old"


@contextlib.contextmanager
def no_file_above(size: int) -> Generator[None]:
    """Let nothing be written beyond that many bytes of a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_full_disk_is_one_line_and_the_old_folder_stays(tmp_path: Path) -> None:
    place = tmp_path / "hf"
    replace_folder(place, OLD, anything)
    with no_file_above(1000), pytest.raises(ExportError) as caught:
        replace_folder(place, NEW, anything)

    assert str(caught.value) == f"{place}: cannot be written (File too large)"
    assert found_in(place) == OLD
    assert names(tmp_path) == {"hf"}


def test_a_full_disk_leaves_both_old_files_of_a_split(tmp_path: Path) -> None:
    out = tmp_path / "tasks.jsonl"
    form = FORMATS["alpaca"]
    bundle = arrange(many(200), Plan(form, validation=0.1))
    old = {path.name: b"old" for path in paths_of(out, list(bundle.splits)).values()}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    with no_file_above(2000), pytest.raises(CorpusError) as caught:
        write_files(bundle, form, out)

    assert (
        str(caught.value) == f"{tmp_path / 'tasks.train.jsonl'}: cannot be written (File too large)"
    )
    assert found_in(tmp_path) == old


@pytest.mark.parametrize(
    ("out", "train"),
    [
        ("tasks.jsonl", "tasks.train.jsonl"),
        ("tasks.v2.jsonl.gz", "tasks.v2.train.jsonl.gz"),
        ("tasks", "tasks.train"),
        (".hidden", ".hidden.train"),
        ("v1.2/tasks.parquet", "v1.2/tasks.train.parquet"),
    ],
)
def test_the_split_stands_before_the_ending(out: str, train: str) -> None:
    paths = paths_of(Path(out), ["train", "validation"])

    assert str(paths["train"]) == train
    assert str(paths["validation"]) == train.replace("train", "validation")
    assert paths_of(Path(out), ["train"]) == {"train": Path(out)}


@pytest.mark.parametrize("name", [name for name, one in FORMATS.items() if one.packing != "folder"])
def test_the_same_tasks_are_the_same_bytes(tmp_path: Path, name: str) -> None:
    form = FORMATS[name]
    contents: list[dict[str, bytes]] = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        bundle = arrange(many(60), Plan(form, validation=0.2, shuffle=True))
        write_files(bundle, form, folder / "tasks.jsonl")
        contents.append(found_in(folder))

    assert contents[0] == contents[1]
    assert set(contents[0]) == {"tasks.train.jsonl", "tasks.validation.jsonl"}
