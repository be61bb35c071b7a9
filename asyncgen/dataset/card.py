"""The card of a dataset: what the hub reads of it, and what a person should know."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncgen.dataset.bundle import Bundle
    from asyncgen_kernels import Tokenizer

__all__ = ["Card", "card_text"]

_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)

_FILTER = """\
What came back passed rules (length, blacklist, repetition, leaked templates, …) and a filter: an
instruction with a ROUGE-L above the threshold to any seed, or to any kept before it, was dropped.
Empty, cut, repeated and conflicting instances were pruned."""

_LIMITS = """\
- {checked} Of data made the same way by GPT-3, the paper's authors found all
  fields valid in 54 % of 200 sampled tasks, and the output correct in 58 %.
- The filter compares {compared}.
- Topics and style are those of the model and of the seeds, and so are their biases. Nothing was
  filtered for toxicity or personal data, or compared with any benchmark."""


_COMPARED: dict[Tokenizer, str] = {
    "rouge": (
        "words, not meaning: paraphrases pass, and texts in other scripts than\n"
        "  Latin may pass unseen"
    ),
    "unicode": "words, or letters where a script has no blanks, not meaning: paraphrases\n  pass",
}


@dataclass(frozen=True, slots=True)
class Card:
    """What is said of a dataset besides its rows.

    Attributes:
        name: What it is called.
        recipe: How it was made, in a word.
        method: The same in sentences.
        models: The models that made it, each with its number of tasks.
        settings: Those that decide the data, as TOML.
        funnel: The way from candidates to tasks, in lines.
        target: Tasks that were wanted.
        license: Identifier of the licence that the owner chose; empty for none.
        languages: Codes; empty where they are not known.
        family_bound: Tasks above this ROUGE-L to each other are in one split.
        tokenizer: How the filter cut texts to compare them.
        judge: The model that judged the instances; empty for none.
    """

    name: str
    recipe: str
    method: str
    models: Mapping[str, int]
    settings: str
    funnel: str
    target: int
    license: str
    languages: tuple[str, ...]
    family_bound: float
    tokenizer: Tokenizer = "rouge"
    judge: str = ""


def card_text(card: Card, bundle: Bundle) -> str:
    """Return the file ``README.md``, with its header in YAML."""
    parts = [
        _header(card, bundle),
        f"# {card.name}\n\n{_counts(card, bundle)}",
        f"## Method\n\nMade with asyncgen. {card.method}\n\n{_FILTER}",
        f"## Model and licence\n\n{_model(card)}",
        f"## Columns\n\n{_COLUMNS}",
        f"## Funnel\n\n```text\n{card.funnel}\n```",
        f"## Limits\n\n{_limits(card)}",
        f"## Settings\n\n```toml\n{card.settings.strip()}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def _limits(card: Card) -> str:
    checked = "Nobody checked the answers."
    if card.judge:
        checked = (
            f"No person checked the answers. A model ({card.judge}) was asked of each instance\n  "
            "whether its task is valid, its input appropriate and its output correct; it may err."
        )
    return _LIMITS.format(compared=_COMPARED[card.tokenizer], checked=checked)


_COLUMNS = """\
`id` (of the row: task and instance), `task`, `instruction`, `input` (empty where none is
needed), `output`, `is_classification`, `is_seed` (written by a person)."""


def _header(card: Card, bundle: Bundle) -> str:
    # A string of JSON is one of YAML.
    lines = [f"pretty_name: {json.dumps(card.name)}"]
    if card.license:
        lines.append(f"license: {json.dumps(card.license)}")
    else:
        lines.append("# license: yours to choose; see 'Model and licence' below")
    lines += _listed("language", card.languages)
    lines += _listed("task_categories", ("text-generation",))
    lines += _listed("size_categories", (_size(bundle.rows),))
    lines += _listed("tags", ("synthetic", card.recipe, "instruction-tuning", "asyncgen"))
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split in bundle.splits:
        lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    return "\n".join(("---", *lines, "---"))


def _listed(name: str, values: tuple[str, ...]) -> list[str]:
    return [f"{name}:", *(f"- {json.dumps(value)}" for value in values)] if values else []


def _size(rows: int) -> str:
    return next((name for most, name in _SIZES if rows < most), "n>10M")


def _counts(card: Card, bundle: Bundle) -> str:
    made = f"{bundle.tasks:,} tasks made by a model"
    if bundle.tasks < card.target:
        made += f" (of {card.target:,} wanted: the run was not complete)"
    if bundle.seeds:
        made += f" and {bundle.seeds:,} seed tasks written by people"
    table = ["| split | rows |", "|---|---|"]
    table += [f"| {name} | {len(rows):,} |" for name, rows in bundle.splits.items()]
    text = f"{made}; a row is an instance of a task.\n\n" + "\n".join(table)
    if bundle.division is not None:
        text += (
            "\n\nThe splits share no family: tasks whose instructions have a ROUGE-L above "
            f"{card.family_bound:g} to each other, directly or through others, are in the same one."
        )
    return text


def _model(card: Card) -> str:
    table = ["| model | tasks |", "|---|---|"]
    table += [f"| {_cell(name)} | {count:,} |" for name, count in card.models.items()]
    chosen = (
        f"The owner chose `{card.license}`."
        if card.license
        else "No licence is stated here: it is the owner's to choose."
    )
    return (
        "\n".join(table)
        + "\n\nThe tasks are what these models answered. A model's licence, or the "
        "terms of the service that ran it, say what its output may be used for and passed on as; "
        "some forbid training other models with it. asyncgen does not know them: read them before "
        f"you train or publish. {chosen}"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|") or "not named by its endpoint"
