"""The formats in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from asyncgen.dataset.alpaca import alpaca
from asyncgen.dataset.chat import chat, chat_completion, sharegpt
from asyncgen.dataset.examples import examples_of, task_row
from asyncgen.dataset.openai import offence_in_file, offence_in_row
from asyncgen.dataset.parquet import columns
from asyncgen.dataset.prompt_completion import END_OF_TEXT, Templates, prompt_completion

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncgen.dataset.examples import Example, Origin

__all__ = ["FORMATS", "Format", "Row", "Style"]

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Style:
    """How rows are put, where a format leaves a choice.

    Attributes:
        seed: Keys every random choice.
        system: What the system says first in a conversation; empty for nothing.
        templates: Of prompts and completions.
        end: What ends a completion.
    """

    seed: int = 42
    system: str = ""
    templates: Templates = "varied"
    end: str = END_OF_TEXT


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what rows a task makes, and in what they are packed.

    Attributes:
        rows: Returns the rows of one task.
        packing: JSON lines, a Parquet file, or a folder that ``datasets`` opens.
        takes: The flags beside the usual ones that it knows.
        row_rules: Returns which rule of its consumer a row breaks, given the most tokens that
            it may have; ``None`` if none.
        file_rules: The same of a file, given its name, rows and bytes, and whether a model is
            to be trained with it.
    """

    name: str
    rows: Callable[[Origin, Style], list[Row]]
    packing: Literal["lines", "parquet", "folder"] = "lines"
    takes: frozenset[str] = frozenset()
    row_rules: Callable[[Row, int], str | None] | None = None
    file_rules: Callable[[str, int, int, bool], str | None] | None = None


def _each(row: Callable[[Example, Style], Row]) -> Callable[[Origin, Style], list[Row]]:
    return lambda task, style: [row(example, style) for example in examples_of(task)]


_SYSTEM = frozenset({"--system"})
_chat = _each(lambda example, style: chat(example, style.system))
_alpaca = _each(lambda example, _: alpaca(example))
_columns = _each(lambda example, _: columns(example))
_chat_completion = _each(lambda example, style: chat_completion(example, style.system))
_sharegpt = _each(lambda example, style: sharegpt(example, style.system))
_prompt_completion = _each(
    lambda example, style: prompt_completion(
        example, seed=style.seed, templates=style.templates, end=style.end
    )
)

FORMATS = {
    one.name: one
    for one in (
        Format("jsonl", lambda task, _: [task_row(task)]),
        Format("alpaca", _alpaca),
        Format("chat", _chat, takes=_SYSTEM),
        Format("chat-completion", _chat_completion, takes=_SYSTEM),
        Format("sharegpt", _sharegpt, takes=_SYSTEM),
        Format(
            "openai",
            _chat,
            takes=_SYSTEM | {"--token-limit"},
            row_rules=offence_in_row,
            file_rules=offence_in_file,
        ),
        Format(
            "prompt-completion",
            _prompt_completion,
            takes=frozenset({"--templates", "--end-of-text"}),
        ),
        Format("parquet", _columns, packing="parquet"),
        Format(
            "hf",
            _columns,
            packing="folder",
            takes=frozenset({"--push", "--public", "--license", "--language"}),
        ),
    )
}
"""By name."""
