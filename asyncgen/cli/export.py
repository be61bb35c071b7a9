"""``asyncgen export``: a run's dataset for trainers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from asyncgen.errors import SettingsError
from asyncgen.machine import processors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from asyncgen.dataset.bundle import Bundle
    from asyncgen.dataset.card import Card
    from asyncgen.dataset.formats import Format
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.material import Material

__all__ = ["export"]

STANDARD = "-"
"""The name that means standard output."""

_FORMAT = (
    "jsonl (whole tasks), alpaca, chat (messages), chat-completion (prompt and completion as "
    "messages), sharegpt, openai, prompt-completion, parquet, or hf (a folder)."
)
_OUT = (
    "File to write, compressed if it ends in .gz or .zst; the folder, for hf; '-' or nothing for "
    "standard output."
)
_MIN_SCORE = "Leave out instances that the run's judge gave less."
_VALIDATION = (
    "Share of the rows to hold out, as 0.05: 'train' and 'validation' are put into the names. "
    "Tasks that resemble each other stay on one side."
)
_BOUND = "Tasks with a higher ROUGE-L than this to each other are of one family."
_SEED = "Keys every random choice; default: the run's."
_TEMPLATES = "Of prompt-completion: the paper's thirteen, drawn for each row, or one."
_END = "What ends a completion of prompt-completion; default: <|endoftext|>."
_LIMIT = "Tokens that an example of openai may have; 16385 for gpt-3.5-turbo. Default: 65536."
_PUSH = "Upload the folder of hf to OWNER/NAME on the hub, with the token in HF_TOKEN."
_LICENSE = "Licence for the card of hf, as the hub names it."
_LANGUAGE = "Language code for the card of hf; repeatable."


def export(  # noqa: PLR0913 - each parameter is a flag
    run_dir: Annotated[Path, typer.Argument(help="The run folder.")],
    *,
    form: Annotated[str, typer.Option("--format", help=_FORMAT)] = "jsonl",
    out: Annotated[Path | None, typer.Option(help=_OUT)] = None,
    min_score: Annotated[float | None, typer.Option(help=_MIN_SCORE)] = None,
    validation: Annotated[float | None, typer.Option(metavar="SHARE", help=_VALIDATION)] = None,
    family_bound: Annotated[float, typer.Option(help=_BOUND)] = 0.6,
    include_seeds: Annotated[
        bool, typer.Option("--include-seeds", help="Put the seed tasks first.")
    ] = False,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Put rows in a random order, instead of the run's.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help=_SEED)] = None,
    system: Annotated[
        str | None, typer.Option(help="What the system says first in every conversation.")
    ] = None,
    templates: Annotated[Literal["varied", "plain"] | None, typer.Option(help=_TEMPLATES)] = None,
    end_of_text: Annotated[str | None, typer.Option(help=_END)] = None,
    token_limit: Annotated[int | None, typer.Option(min=1, help=_LIMIT)] = None,
    push: Annotated[str | None, typer.Option(metavar="REPO", help=_PUSH)] = None,
    public: Annotated[
        bool, typer.Option("--public", help="With --push: a new repository is public.")
    ] = False,
    license_: Annotated[str | None, typer.Option("--license", help=_LICENSE)] = None,
    language: Annotated[list[str] | None, typer.Option(help=_LANGUAGE)] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
) -> None:
    """Write the tasks of a run, finished or not; also while it is at work.

    Nothing of the run changes, and a file or folder appears whole or not at all.

    Example: asyncgen export runs/demo --format chat --validation 0.05 --out chat.jsonl
    """
    from asyncgen.cli.summary import as_json_line
    from asyncgen.dataset.bundle import Plan, arrange
    from asyncgen.dataset.formats import Style
    from asyncgen.dataset.openai import MOST_TOKENS
    from asyncgen.dataset.prompt_completion import END_OF_TEXT
    from asyncgen.pipeline.folder import RunFolder
    from asyncgen.pipeline.material import material_of

    given = {
        "--system": system,
        "--templates": templates,
        "--end-of-text": end_of_text,
        "--token-limit": token_limit,
        "--push": push,
        "--public": public or None,
        "--license": license_,
        "--language": language or None,
    }
    chosen, folder = _format(form), RunFolder(run_dir)
    _check_flags(chosen, given, validation, family_bound)
    target = Path(STANDARD) if out is None else out
    _check_target(chosen, folder, target, split=validation is not None, as_json=as_json)
    hub = None
    if push is not None:
        from asyncgen.dataset.hub import Hub

        hub = Hub()
    material = material_of(folder, include_seeds=include_seeds, min_score=min_score)
    plan = Plan(
        format=chosen,
        style=Style(
            seed=material.settings.seed if seed is None else seed,
            system=system or "",
            templates=templates or "varied",
            end=END_OF_TEXT if end_of_text is None else end_of_text,
        ),
        validation=validation,
        family_bound=family_bound,
        shuffle=shuffle,
        most_tokens=token_limit or MOST_TOKENS,
        threads=processors(),
        tokenizer=material.settings.tokenizer,
    )
    bundle = arrange([*material.seeds, *material.tasks], plan)
    card = _card(material, run_dir.resolve().name, license_, language, family_bound)
    files = _write(bundle, chosen, card, target)
    pushed = None if hub is None or push is None else hub.push(target, push, private=not public)
    if as_json:
        typer.echo(as_json_line(_summary(bundle, chosen, files, pushed)))
    elif str(target) != STANDARD or bundle.dropped:
        typer.echo(_in_words(bundle, files, pushed, validation), err=True)


def _format(name: str) -> Format:
    from asyncgen.dataset.formats import FORMATS

    if name not in FORMATS:
        raise typer.BadParameter(
            f"'{name}' is no format; there is: {', '.join(FORMATS)}", param_hint="--format"
        )
    return FORMATS[name]


def _check_flags(
    form: Format, given: Mapping[str, Any], validation: float | None, family_bound: float
) -> None:
    for flag, value in given.items():
        if value is not None and flag not in form.takes:
            raise SettingsError(f"{flag}: format {form.name} has no use for it; leave it out")
    if given["--public"] and not given["--push"]:
        raise SettingsError("--public says how to --push; give that too, or leave it out")
    if validation is not None and not 0 < validation < 1:
        raise SettingsError(f"--validation {validation:g}: must lie between 0 and 1, as 0.05")
    if not 0 < family_bound <= 1:
        raise SettingsError(f"--family-bound {family_bound:g}: must lie in (0, 1]")


def _check_target(
    form: Format, folder: RunFolder, target: Path, *, split: bool, as_json: bool
) -> None:
    """Refuse a place where the export cannot go, or would destroy the run."""
    if str(target) == STANDARD:
        if form.packing != "lines":
            raise SettingsError(f"format {form.name} needs --out: it is no text for a terminal")
        if split:
            raise SettingsError("--validation makes two files: name them with --out")
        if as_json:
            raise SettingsError("--json and the rows cannot both go to standard output; give --out")
    elif target.resolve().parent == folder.path.resolve() and folder.owns(target.name):
        raise SettingsError(f"--out {target}: a file of the run itself; choose another name")


def _card(
    material: Material,
    name: str,
    license_: str | None,
    language: Sequence[str] | None,
    family_bound: float,
) -> Card:
    from asyncgen.cli.summary import funnel
    from asyncgen.dataset.card import Card
    from asyncgen.pipeline.description import models_of, told_settings
    from asyncgen.pipeline.recipes import recipe_of
    from asyncgen.settings import SELF, who_judges

    settings = material.settings
    asked = settings.require_language or settings.language
    # The package's own seeds and examples are English, and so is what they bring forth.
    usual = (asked,) if asked else () if settings.seeds or settings.texts else ("en",)
    recipe = recipe_of(settings)
    return Card(
        name=name,
        recipe=recipe.name,
        method=recipe.method,
        models=models_of(material.tasks),
        settings=told_settings(settings),
        funnel=funnel(material.state),
        target=settings.target,
        license=license_ or "",
        languages=tuple(language) if language else usual,
        family_bound=family_bound,
        tokenizer=settings.tokenizer,
        judge="the one that made them" if (judge := who_judges(settings)) == SELF else judge or "",
    )


def _write(bundle: Bundle, form: Format, card: Card, target: Path) -> list[Path]:
    from asyncgen.dataset.export import write_files, write_folder

    if form.packing == "folder":
        return write_folder(bundle, form, card, target)
    return write_files(bundle, form, target)


def _summary(
    bundle: Bundle, form: Format, files: Sequence[Path], pushed: str | None
) -> dict[str, Any]:
    division = bundle.division
    return {
        "format": form.name,
        "rows": bundle.rows,
        "splits": {split: len(rows) for split, rows in bundle.splits.items()},
        "tasks": bundle.tasks,
        "seeds": bundle.seeds,
        "duplicates": bundle.duplicates,
        "dropped": bundle.dropped,
        "families": division and division.families,
        "largest_family": division and division.largest,
        "files": [str(path) for path in files],
        "pushed": pushed,
    }


def _in_words(
    bundle: Bundle, files: Sequence[Path], pushed: str | None, wanted: float | None
) -> str:
    seeds = f" and {bundle.seeds:,} seeds" if bundle.seeds else ""
    where = ", ".join(map(str, files))
    lines = [f"{where}: {bundle.rows:,} rows of {bundle.tasks:,} tasks{seeds}"]
    division = bundle.division
    if division is not None and wanted is not None:
        held_out = len(bundle.splits["validation"])
        lines.append(
            f"validation: {held_out:,} rows, {held_out / max(bundle.rows, 1):.1%} ({wanted:.1%} "
            f"wanted); {division.families:,} families, the largest of {division.largest:,} rows"
        )
    if bundle.duplicates:
        lines.append(f"left out: {bundle.duplicates:,} rows that equal another")
    lines += [f"left out: {count:,} rows ({rule})" for rule, count in bundle.dropped.items()]
    lines += [f"pushed to {pushed}"] if pushed else []
    return "\n".join(lines)
