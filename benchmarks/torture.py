"""Whether a run survives what can happen to it: real kills, full disks, cut logs, second owners.

    python benchmarks/torture.py [kills|own|wal|disk|limit|crowd|all] [--kills 100] [--target 2000]
        [--faults] [--endpoints 3] [--seed 1] [--folder DIR]

Providers run in process groups of their own and keep their own log, which decides what was sent
again and what was paid twice. Exits with 1 if a promise was broken.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ordeal.crowding import crowd
from ordeal.cutting import cut_again_and_again
from ordeal.killing import Killing, kill_again_and_again, kill_with_its_own_provider
from ordeal.provider import FAULTS, Manner
from ordeal.room import Limit, NoMountError, tmpfs
from ordeal.starving import starve
from ordeal.trial import calm_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordeal.verdict import Verdict


SMALL = 256 * 1024  # bytes of room at first


def kills(plan: Killing, folder: Path) -> Verdict:
    """SIGKILLs at random moments."""
    return kill_again_and_again(plan, folder, calm_run(folder, plan.target, plan.manner))


def own(plan: Killing, folder: Path) -> Verdict:
    """The same with --endpoint simulated, whose provider is the run's child."""
    return kill_with_its_own_provider(plan, folder)


def wal(plan: Killing, folder: Path) -> Verdict:
    """SIGKILLs after each of which the write-ahead log loses its end."""
    return cut_again_and_again(plan, folder, calm_run(folder, plan.target, plan.manner))


def disk(plan: Killing, folder: Path) -> Verdict:
    """A disk that is full again and again: a small file system, if one may be mounted."""
    try:
        with tmpfs(folder / "small", SMALL) as room:
            expected = calm_run(folder, plan.target, plan.manner)
            return starve(plan, folder, expected, room, room.folder / "run")
    except NoMountError as error:
        print(f"no file system of its own ({error}): a limit on the size of files instead")
    return limit(plan, folder)


def limit(plan: Killing, folder: Path) -> Verdict:
    """The same by a limit on the size of files."""
    expected = calm_run(folder, plan.target, plan.manner)
    return starve(plan, folder, expected, Limit(SMALL), folder / "run")


def crowded(plan: Killing, folder: Path) -> Verdict:
    """Second processes on the same run folder, and a stale lock."""
    return crowd(plan, folder, calm_run(folder, plan.target, plan.manner))


TRIALS: dict[str, Callable[[Killing, Path], Verdict]] = {
    "kills": kills,
    "own": own,
    "wal": wal,
    "disk": disk,
    "limit": limit,
    "crowd": crowded,
}


def _plan(arguments: argparse.Namespace) -> Killing:
    return Killing(
        kills=arguments.kills,
        target=arguments.target,
        seed=arguments.seed,
        manner=Manner(arguments.latency, arguments.width, FAULTS if arguments.faults else ""),
        endpoints=arguments.endpoints,
        compiling=arguments.compiling,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trial", nargs="?", default="kills", choices=[*TRIALS, "all"])
    parser.add_argument(
        "--kills", type=int, default=100, help="or cuts of the log, or second processes"
    )
    parser.add_argument("--target", type=int, default=2000, help="tasks of the run")
    parser.add_argument("--faults", action="store_true", help="about one attempt in eight fails")
    parser.add_argument("--endpoints", type=int, default=1, help="all but the first die, too")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn here")
    parser.add_argument("--latency", type=float, default=0.3, help="seconds, in the median")
    parser.add_argument("--width", type=float, default=0.6, help="how widely it varies")
    parser.add_argument("--compiling", type=float, default=0.04, help="share of kills in that")
    parser.add_argument("--folder", type=Path, help="keep everything there")
    return parser.parse_args()


def main() -> None:
    """Hold the trials and print; exit with 1 if a promise was broken."""
    arguments = _arguments()
    names = list(TRIALS) if arguments.trial == "all" else [arguments.trial]
    broken = 0
    for name in names:
        began = time.monotonic()
        with TemporaryDirectory(prefix="torture-") as scratch:
            folder = Path(scratch) if arguments.folder is None else arguments.folder / name
            verdict = TRIALS[name](_plan(arguments), folder)
        verdict.figures["seconds in all"] = time.monotonic() - began
        print(verdict, flush=True)
        broken += len(verdict.broken)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
