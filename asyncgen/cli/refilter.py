"""``asyncgen refilter``: another dataset from the answers already paid for."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asyncgen.cli import flags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from asyncgen.pipeline.refiltering import Refiltered

__all__ = ["refilter"]


def refilter(  # noqa: PLR0913 - each parameter is a flag
    run_dir: Annotated[Path, typer.Argument(help="The run whose answers are used; only read.")],
    *,
    out: Annotated[Path, typer.Option(metavar="NEW_RUN", help="The run folder to make.")],
    profile: flags.Profile = None,
    threshold: flags.Threshold = None,
    tokenizer: flags.Tokenizer = None,
    require_language: flags.RequireLanguage = None,
    exclude: flags.Exclude = None,
    max_instances: flags.MaxInstances = None,
    target: flags.Target = None,
    saturation_window: flags.SaturationWindow = None,
    saturation_bound: flags.SaturationBound = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Derive a new run from the answers of RUN_DIR under other settings; ask and spend nothing.

    Files to exclude are added to those of the old run. What the new run keeps and the
    old one never finished is asked for by `asyncgen generate NEW_RUN`.

    Example: asyncgen refilter runs/first --threshold 0.6 --out runs/stricter
    """
    given = locals()
    from asyncgen.cli.summary import as_json_line
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.refiltering import refilter as refiltered

    made = refiltered(RunFolder(run_dir), out, flags.as_settings(given))
    if as_json:
        import msgspec

        fields = {"run": str(out), "from": str(run_dir)}
        typer.echo(as_json_line({**fields, **msgspec.structs.asdict(made)}))
    else:
        typer.echo("\n".join(_in_words(made, run_dir, out)))


def _in_words(made: Refiltered, run_dir: Path, out: Path) -> Iterator[str]:
    from asyncgen.cli.summary import money

    changes = made.changes
    yield f"{out}: {made.tasks:,} of {made.target:,} tasks, from {made.before:,} of {run_dir}"
    yield from (f"  setting {one}" for one in made.settings)
    yield f"  {changes.unchanged:,} tasks as they were, {changes.changed:,} changed"
    yield from _counted("dropped", changes.dropped)
    yield from _counted("added", changes.added)
    yield (
        f"  answers {made.answers:,} taken over, {made.left_out:,} of no use here; nothing was "
        f"asked, {run_dir} paid {money(made.paid)} for them"
    )
    again = shlex.join(["asyncgen", "generate", str(out)])
    if made.saturation:
        yield f"  {made.saturation}; --saturation-bound {made.saturation.lower:g} takes it further"
    if made.lacking:
        behind = f"; {made.waiting:,} finished ones wait behind the first" if made.waiting else ""
        yield f"  {made.lacking:,} tasks lack instances: {again} asks for them{behind}"
    elif made.tasks < made.target:
        yield f"  {made.target - made.tasks:,} tasks short of the target: {again} asks for more"


def _counted(what: str, reasons: dict[str, int]) -> Iterator[str]:
    if reasons:
        parts = ", ".join(f"{reason} {count:,}" for reason, count in reasons.items())
        yield f"  {sum(reasons.values()):,} {what}: {parts}"
