"""Real runs, killed, starved and crowded at drawn moments; ``make torture`` does it at length."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from ordeal.crowding import crowd
from ordeal.cutting import cut_again_and_again
from ordeal.killing import kill_again_and_again, kill_with_its_own_provider
from ordeal.provider import FAULTS, Manner
from ordeal.room import Limit, NoMountError, tmpfs
from ordeal.starving import starve

if TYPE_CHECKING:
    from pathlib import Path

    from ordeal.killing import Killing
    from ordeal.trial import Expected

ROOM = 512 * 1024  # bytes

pytestmark = pytest.mark.timeout(300)  # dozens of processes, on a machine that may be busy


def test_a_run_killed_at_any_moment_ends_as_if_it_had_not_been_and_pays_for_no_answer_again(
    plan: Killing, tmp_path: Path, expected: Expected
) -> None:
    """Under faults, and with endpoints of which one dies and comes back."""
    wild = replace(plan, kills=5, endpoints=2, manner=Manner(latency=0.1, faults=FAULTS))
    verdict = kill_again_and_again(wild, tmp_path, expected)

    assert not verdict.broken, str(verdict)
    assert verdict.figures["kills"] == wild.kills


def test_a_run_whose_provider_is_its_child_ends_so_too_and_the_child_dies_with_it(
    plan: Killing, tmp_path: Path
) -> None:
    verdict = kill_with_its_own_provider(replace(plan, kills=2, target=15), tmp_path)

    assert not verdict.broken, str(verdict)


def test_a_log_that_loses_its_end_costs_the_last_commit_and_no_other(
    plan: Killing, tmp_path: Path, expected: Expected
) -> None:
    verdict = cut_again_and_again(plan, tmp_path, expected)

    assert not verdict.broken, str(verdict)
    assert verdict.figures["cuts"] == plan.kills


def test_a_full_disk_ends_a_run_in_one_line_and_room_resumes_it(
    plan: Killing, tmp_path: Path, expected: Expected
) -> None:
    try:
        with tmpfs(tmp_path / "small", ROOM) as room:
            verdict = starve(plan, tmp_path, expected, room, room.folder / "run")
    except NoMountError:
        # Whoever may not mount has files that may not grow instead.
        verdict = starve(plan, tmp_path, expected, Limit(ROOM), tmp_path / "run")

    assert not verdict.broken, str(verdict)
    # On a full disk nothing can be written, but it is the journal that a person must hear of.
    assert any("RUN/journal.db: " in said for said in verdict.notes), str(verdict)


def test_a_second_process_is_refused_and_the_lock_of_a_dead_one_is_no_obstacle(
    plan: Killing, tmp_path: Path, expected: Expected
) -> None:
    verdict = crowd(plan, tmp_path, expected)

    assert not verdict.broken, str(verdict)
    assert verdict.figures["second processes refused"] >= plan.kills - plan.kills // 2
