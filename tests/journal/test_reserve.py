"""Room that is kept for the answers on their way when the disk is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from journal.material import start

from asyncgen.journal import Journal

if TYPE_CHECKING:
    from pathlib import Path

_KEEP = """
import resource, sys
from pathlib import Path
from asyncgen.errors import RunFolderError
from asyncgen.journal import Journal
with Journal(Path(sys.argv[1])) as journal:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    try:
        journal.keep_room(8)
    except RunFolderError as error:
        print(error, flush=True)
    else:
        print("kept", flush=True)
    sys.stdin.read()
"""


def test_room_is_kept_on_the_disk_and_given_back_in_the_end(tmp_path: Path) -> None:
    kept = tmp_path / "journal.reserve"
    with Journal(tmp_path / "journal.db") as journal:
        journal.keep_room(8)
        space = kept.stat()
        assert space.st_size > 8 * 10_000
        assert space.st_blocks * 512 >= space.st_size

    assert not kept.exists()


def test_a_disk_without_that_room_is_one_clear_line_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    with start(_KEEP, tmp_path / "journal.db", 100_000) as keeper:
        output, _ = keeper.communicate("", timeout=30)

    assert output == (
        f"{tmp_path}: no room for the 0.5 MB that answers on their way may need "
        "(File too large); make room, then run the same command again\n"
    )
    assert not (tmp_path / "journal.reserve").exists()


def test_room_that_a_killed_process_kept_is_taken_over_or_given_back(tmp_path: Path) -> None:
    kept = tmp_path / "journal.reserve"
    with start(_KEEP, tmp_path / "journal.db", 10_000_000) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "kept\n"
        keeper.kill()
        keeper.communicate()
    assert kept.exists()

    with Journal(tmp_path / "journal.db"):
        """A session that has nothing to ask."""
    assert not kept.exists()
