"""Exports opened by those whom they are for: datasets, pyarrow, chat templates of transformers."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from dataset.material import AWKWARD, example_task, many, seed_task

from asyncgen.dataset.bundle import Bundle, Plan, arrange
from asyncgen.dataset.card import Card, card_text
from asyncgen.dataset.export import write_files, write_folder
from asyncgen.dataset.formats import FORMATS, Style

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from asyncgen.dataset.examples import Origin

TASKS: list[Origin] = [
    seed_task(),
    *many(40),
    example_task("task_77_0", AWKWARD, [(AWKWARD, AWKWARD), ("", "The Rhine.")]),
]
CARD = Card(
    name='A "quoted": name # and more',
    recipe="self-instruct",
    method="The model was asked.",
    models={"a|model": 40, "": 1},
    settings="target = 50",
    funnel="  candidates 60",
    target=50,
    license="",
    languages=("en", "no"),
    family_bound=0.5,
)
STRICT = """\
{%- for message in messages -%}
{%- if message['role'] == 'system' and not loop.first -%}
{{ raise_exception('the system speaks first') }}
{%- elif message['role'] != 'system' and loop.previtem is defined
         and loop.previtem['role'] == message['role'] -%}
{{ raise_exception('turns must alternate') }}
{%- endif -%}
<|im_start|>{{ message['role'] }}
{{ message['content'] }}<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}<|im_start|>assistant
{% endif -%}"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return ``datasets.load_dataset`` with a cache of its own."""
    import datasets

    datasets.disable_progress_bars()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def load_dataset(*arguments: str, **named: Any) -> Any:
        return datasets.load_dataset(*arguments, cache_dir=str(tmp_path / "cache"), **named)

    return load_dataset


def bundle_of(name: str, **plan: Any) -> Bundle:
    return arrange(TASKS, Plan(FORMATS[name], validation=0.2, **plan))


@pytest.mark.parametrize("name", ["jsonl", "alpaca", "chat", "chat-completion", "sharegpt"])
def test_datasets_finds_the_splits_in_a_folder_of_lines(
    load: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    bundle = bundle_of(name)
    folder = tmp_path / "lines"
    folder.mkdir()
    write_files(bundle, FORMATS[name], folder / "tasks.jsonl")
    opened = load(str(folder))

    assert {split: list(rows) for split, rows in opened.items()} == {
        split: json.loads(json.dumps(rows)) for split, rows in bundle.splits.items()
    }


def test_datasets_opens_the_hf_folder_by_its_card(load: Callable[..., Any], tmp_path: Path) -> None:
    bundle = bundle_of("hf", shuffle=True)
    write_folder(bundle, FORMATS["hf"], CARD, tmp_path / "hf")
    # Were the card not read, this file would be a split of its own.
    (tmp_path / "hf" / "data" / "test-00000-of-00001.parquet").write_bytes(b"no Parquet")
    opened = load(str(tmp_path / "hf"))

    assert {split: list(rows) for split, rows in opened.items()} == bundle.splits
    assert str(opened["train"].features["is_seed"]) == "Value('bool')"


def test_pyarrow_reads_every_row_and_its_types(tmp_path: Path) -> None:
    bundle = arrange(TASKS, Plan(FORMATS["parquet"]))
    (path,) = write_files(bundle, FORMATS["parquet"], tmp_path / "tasks.parquet")
    table = pq.read_table(path)

    assert table.to_pylist() == bundle.splits["train"]
    assert [str(field.type) for field in table.schema] == ["string"] * 5 + ["bool"] * 2


def test_the_hub_reads_the_card_as_it_was_meant() -> None:
    from huggingface_hub import DatasetCard

    bundle = bundle_of("hf")
    text = card_text(CARD, bundle)
    read: Any = DatasetCard(text, ignore_metadata_errors=False)

    assert read.data.to_dict() == {
        "pretty_name": CARD.name,
        "language": ["en", "no"],
        "task_categories": ["text-generation"],
        "size_categories": ["n<1K"],
        "tags": ["synthetic", "self-instruct", "instruction-tuning", "asyncgen"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": "train", "path": "data/train-*.parquet"},
                    {"split": "validation", "path": "data/validation-*.parquet"},
                ],
            }
        ],
    }
    for said in (
        "41 tasks made by a model (of 50 wanted: the run was not complete) and 1 seed tasks",
        f"| validation | {len(bundle.splits['validation'])} |",
        "| a\\|model | 40 |",
        "| not named by its endpoint | 1 |",
        "No licence is stated here",
        "  candidates 60",
        "target = 50",
    ):
        assert said in text


def test_a_licence_that_was_chosen_is_in_the_header() -> None:
    from huggingface_hub import DatasetCard

    text = card_text(dataclasses.replace(CARD, license="mit"), bundle_of("hf"))

    assert DatasetCard(text).data.get("license") == "mit"
    assert "The owner chose `mit`." in text


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """Return a tokenizer of all bytes whose template refuses what models' own refuse."""
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|im_start|>", "<|im_end|>"],
        show_progress=False,
    )
    made.train_from_iterator(["Name a river."], trainer)
    kind: Any = transformers.PreTrainedTokenizerFast
    return kind(tokenizer_object=made, chat_template=STRICT)


@pytest.mark.parametrize("system", ["", "Be brief."])
@pytest.mark.parametrize("name", ["chat", "openai"])
def test_a_chat_template_takes_every_conversation(tokenizer: Any, name: str, system: str) -> None:
    rows = arrange(TASKS, Plan(FORMATS[name], Style(system=system))).splits["train"]
    for row in rows:
        ids = tokenizer.apply_chat_template(row["messages"], return_dict=False)
        text = tokenizer.decode(ids)
        opening = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""

        assert text.startswith(f"{opening}<|im_start|>user\n")
        assert text.count("<|im_end|>") == 2 + bool(system)
    assert f"<|im_start|>assistant\n{AWKWARD}<|im_end|>" in {
        tokenizer.apply_chat_template(row["messages"], tokenize=False)[-len(AWKWARD) - 33 : -1]
        for row in rows
    }


def test_prompt_and_completion_render_to_the_conversation_cut_in_two(tokenizer: Any) -> None:
    """As TRL does it: the prompt with the answer begun is a prefix of the whole."""
    whole = arrange(TASKS, Plan(FORMATS["chat"])).splits["train"]
    parts = arrange(TASKS, Plan(FORMATS["chat-completion"])).splits["train"]
    for conversation, part in zip(whole, parts, strict=True):
        rendered = tokenizer.apply_chat_template(conversation["messages"], tokenize=False)
        prompt = tokenizer.apply_chat_template(
            part["prompt"], tokenize=False, add_generation_prompt=True
        )

        assert rendered.startswith(prompt)
        assert [*_list(part["prompt"]), *_list(part["completion"])] == conversation["messages"]


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value
