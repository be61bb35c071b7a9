"""Recipes: whatever they ask, one fold makes tasks of it, in any order and when interrupted."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
import pytest
from support.session import SEEDS, Session
from support.simulation import answered

from asyncgen.dataset import json_line
from asyncgen.errors import CorpusError, RunPausedError, SettingsError
from asyncgen.pipeline.profiles.decisions import read_decisions
from asyncgen.pipeline.recipes import RECIPES
from asyncgen.pipeline.recipes.blocks import block, read_blocks
from asyncgen.pipeline.recipes.evol import operation_of, operations
from asyncgen.pipeline.recipes.lists import numbering
from asyncgen.pipeline.recipes.values import Candidate, Material, Question, Recipe, Turn
from asyncgen.pipeline.texts import GivenText, read_texts, with_texts
from asyncgen.records import Answer, Completion, Instance, Prompt
from asyncgen.settings import Settings, resolve

if TYPE_CHECKING:
    from collections.abc import Sequence


TEXTS = tuple(
    GivenText(one.instances[0].output, row)
    for row, one in enumerate(SEEDS, 1)
    if len(one.instances[0].output) > 60
)
RECORDED = [
    orjson.loads(line)
    for line in (Path(__file__).parent / "recipe_answers.jsonl").read_bytes().splitlines()
]
FORMS = [
    {"api": "chat"},
    {"api": "completions"},
    {"api": "anthropic"},
    {"api": "chat", "continues": True},
    {"profile": "paper"},
]


def settings(recipe: str, **changes: Any) -> Settings:
    texts = "given.jsonl" if recipe == "backtranslate" else ""
    flags = {"endpoint": "http://127.0.0.1:9/v1", "model": "m", "recipe": recipe, "texts": texts}
    return resolve({}, {**flags, **changes})


class _Session(Session):
    def __init__(self, run: Settings, recipe: Recipe | None = None) -> None:
        super().__init__(run, answered, TEXTS if run.recipe == "backtranslate" else (), recipe)


# Every recipe.


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_makes_tasks_over_every_interface(recipe: str, form: dict[str, Any]) -> None:
    session = _Session(settings(recipe, target=20, **form))
    session.work(8, random.Random(1))
    tasks = session.tasks()

    assert len({task.instruction for task in tasks}) == 20
    assert all(one.output for task in tasks for one in task.instances)
    asked = {stage for stage, count in session.fold.counts.answers.items() if count}
    assert asked == {"generation", *RECIPES[recipe].later}


@pytest.mark.parametrize("recipe", RECIPES)
def test_dataset_and_rejections_follow_from_the_answers_alone(recipe: str) -> None:
    expected = _Session(settings(recipe, target=30, look_ahead=6))
    expected.work(1, random.Random(0))
    many, interrupted = (_Session(expected.settings) for _ in range(2))
    many.work(64, random.Random(1))
    rng = random.Random(2)
    while not interrupted.agenda.finished:
        interrupted.work(
            rng.choice([1, 3, 40]), rng, most=len(interrupted.journal) + rng.randrange(1, 9)
        )
        interrupted.resume(interrupted.journal)

    assert many.result() == expected.result() == interrupted.result()


def test_what_a_recipe_does_not_know_is_not_in_the_dataset() -> None:
    fields = {"ordinal", "position", "demonstrations", "model", "endpoint"}
    found: dict[str, set[str]] = {}
    for recipe in RECIPES:
        session = _Session(settings(recipe, target=4))
        session.work(4, random.Random(1))
        found[recipe] = set(orjson.loads(json_line(session.tasks()[0]))["provenance"])

    assert found["self-instruct"] == found["alpaca"] == fields
    assert found["evol"] == fields | {"parent", "operation"}
    assert found["backtranslate"] == fields | {"row"}


def test_a_new_recipe_is_a_few_functions() -> None:
    """Riddles: each answer is a question and its solution, and nothing is asked of it again."""

    def draw(
        material: Material, ordinal: int, machine: Sequence[str], known: int
    ) -> tuple[str, ...]:
        pool = [*material.human, *machine[:known]]
        return (random.Random(f"riddle:{material.settings.seed}:{ordinal}").choice(pool),)

    def ask(_material: Material, turn: Turn) -> Question:
        header = "Write a riddle after each task, and its solution on the next line.\n\n"
        return Question(Prompt(header, f"Task: {turn.instructions[0]}\nRiddle:"), ("\n\n",))

    def read(_material: Material, turn: Turn, completion: Completion) -> tuple[Candidate, ...]:
        riddle, _, solution = completion.text.strip().partition("\n")
        return (Candidate(riddle, (Instance("", solution),), parent=turn.shown[0]),)

    riddles = Recipe(
        name="riddles",
        method="The model wrote riddles.",
        later=(),
        items=lambda _settings: 1,
        most=lambda _material: None,
        draw=draw,
        ask=ask,
        read=read,
        written=lambda seed: seed.instruction,
    )
    session = _Session(settings("self-instruct", target=4), riddles)
    for said in (
        "What has a bed but never sleeps?\nA river.",
        "Who counts all day and cannot add?\nA clock.",
        "Which mouth gives back every word?",
        "Which mouth gives back every word?\nAn echo.",
        "What has a bed but never sleeps at all?\nA river.",
        "Whose teeth bite nobody?\nThe comb's.",
    ):
        request = session.agenda.next_request()
        assert request is not None
        session.commit(Answer(request, Completion(text=said, finish_reason="stop")))

    outputs = [task.instances[0].output for task in session.tasks()]
    assert outputs == ["A river.", "A clock.", "An echo.", "The comb's."]
    assert session.fold.reasons["generation"] == {"output_empty": 1, "similar": 1}


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['recipe']}-{row['ordinal']}")
def test_real_answers_of_the_embedded_model_are_read(row: dict[str, Any]) -> None:
    run = settings(row["recipe"], api="chat", continues=True)
    material = Material(run, tuple(SEEDS), (GivenText(row["given"], 1),) * (row["ordinal"] + 1))
    shown = tuple(row["shown"])
    turn = Turn(row["ordinal"], shown, tuple(material.seed[name].instruction for name in shown))
    completion = Completion(text=row["text"], finish_reason=row["finish_reason"])
    read = RECIPES[row["recipe"]].read(material, turn, completion)

    assert [
        {
            "instruction": one.instruction,
            "instances": [[given.input, given.output] for given in one.instances],
            "offence": one.offence[0] if one.offence else None,
        }
        for one in read
    ] == row["read"]


# Several decisions in one request.


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_decisions_asked_together_are_those_asked_alone(form: dict[str, Any]) -> None:
    alone = _Session(settings("self-instruct", target=40, **form))
    together = _Session(settings("self-instruct", target=40, decisions_per_request=8, **form))
    for session in (alone, together):
        session.work(16, random.Random(1))
    asked = [one.fold.counts.answers["classification"] for one in (alone, together)]

    assert together.result() == alone.result()
    assert asked[1] < asked[0] / 4


def test_they_depend_on_no_order_and_no_interruption_either() -> None:
    expected = _Session(settings("self-instruct", target=30, look_ahead=6, decisions_per_request=3))
    expected.work(1, random.Random(0))
    session, rng = _Session(expected.settings), random.Random(2)
    while not session.agenda.finished:
        most = len(session.journal) + rng.randrange(1, 9)
        session.work(rng.choice([1, 3, 40]), rng, most=most)
        session.resume(session.journal)

    assert session.result() == expected.result()


def test_a_task_without_a_clear_answer_is_asked_about_alone() -> None:
    session = _Session(settings("self-instruct", target=4, decisions_per_request=3))
    first = session.agenda.next_request()
    assert first is not None
    session.commit(Answer(first, answered(first)))
    asked = session.agenda.next_request()
    assert asked is not None
    names = [draft.id for draft in session.fold.group(asked.key.partition("+")[0])]
    session.commit(
        Answer(asked, Completion(text="1. no\n2. yes or no\n4. yes", finish_reason="stop"))
    )
    due = [request.key for request in iter(session.agenda.next_request, None)]

    assert asked.key == f"{names[0]}+2"
    assert due[0] == names[0]  # its instances
    assert {names[1], names[2]} <= set(due)


@pytest.mark.parametrize(
    ("text", "begun", "expected"),
    [
        ("1. yes\n2. no\n3. Yes.", False, [True, False, True]),
        (" no\n2. yes\n3. no", True, [False, True, False]),
        ("Here they are:\n1) **Yes**\n2) Name a river: no\n3) no", False, [True, False, False]),
        ("1. yes\n3. no\n2. perhaps", False, [True, None, False]),
        ("1. yes\n2. no\n1. no\n3. yes", False, [None, False, True]),
        ("yes, no, no", False, [None, None, None]),
    ],
)
def test_a_list_of_decisions_is_read_by_its_numbers(
    text: str,
    begun: bool,  # noqa: FBT001 - a row of the table
    expected: list[bool | None],
) -> None:
    said = Completion(text=text, finish_reason="stop")

    assert read_decisions(said, 3, begun=begun) == expected
    assert (
        read_decisions(msgspec.structs.replace(said, finish_reason="length"), 3, begun=begun)
        == [None] * 3
    )


# Alpaca.


def _read(text: str, reason: Any = "stop", **changes: Any) -> list[tuple[Any, ...]]:
    run = settings("alpaca", **changes)
    completion = Completion(text=text, finish_reason=reason)
    return [
        (one.instruction, *((given.input, given.output) for given in one.instances), one.offence)
        for one in read_blocks(completion, numbering(run), lambda text: text.strip())
    ]


RIVER = ("Name a river.", ("", "The Po."), None)
LAKE = ("Name the lake.", ("North of Milan.", "Como."), None)


@pytest.mark.parametrize(
    ("river", "lake"),
    [
        (
            "4. Instruction: Name a river.\nInput: none\nOutput: The Po.\n",
            "5. Instruction: Name the lake.\nInput: North of Milan.\nOutput: Como.",
        ),
        (
            "4. Instruction: Name a river.\nOutput: The Po.",
            "5. Instruction: Name the lake.\nInput:\nNorth of Milan.\nOutput:\nComo.\n###",
        ),
        (
            "Sure!\n\n**4. Instruction:** Name a river.\n**Input:** <noinput>\n**Output:** The Po.",
            "**5. Instruction:** Name the lake.\n**Input:** North of Milan.\n**Output:** Como.",
        ),
        (
            "### 4.\nInstruction: Name a river.\n4. Input: N/A\n4. Output: The Po.\n\n---\n",
            "### 5.\nInstruction: Name the lake.\n5. Input: North of Milan.\n5. Output: Como.",
        ),
    ],
    ids=["ours", "no line for no input", "bold", "numbered fields"],
)
def test_blocks_are_read_as_models_write_them(river: str, lake: str) -> None:
    assert _read(f"{river}\n{lake}") == [RIVER, LAKE]


def test_a_block_goes_on_behind_its_beginning() -> None:
    assert _read(" Name a river.\nOutput: The Po.", api="completions") == [RIVER]


def test_a_cut_answer_loses_its_last_block_and_no_other() -> None:
    text = "4. Instruction: Name a river.\nOutput: The Po.\n\n5. Instruction: Name the la"

    assert _read(text, "length") == [RIVER, ("Name the la", ("cut_off", ""))]


def test_a_list_in_an_output_is_no_block_and_a_block_out_of_order_is_none_either() -> None:
    text = (
        "4. Instruction: Name two rivers.\nOutput: 1. The Po.\n5. The Elbe.\n\n"
        "9. Instruction: Name a lake.\nOutput: Como."
    )

    assert _read(text) == [
        ("Name two rivers.", ("", "1. The Po.\n5. The Elbe."), None),
        ("Name a lake.", ("", "Como."), ("out_of_order", "9.")),
    ]


def test_every_seed_is_read_back_as_it_is_written() -> None:
    for seed in SEEDS:
        given = seed.instances[0]
        written = block(4, seed)
        assert _read(written) == [
            (seed.instruction, (given.input.strip(), given.output.strip()), None)
        ], written


# Evol.


PARENT = "Suggest a name for a bakery in a small harbour town."


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Suggest two names for a bakery whose owner used to repair fishing nets.", None),
        ("New task: Suggest a name for a bakery that is open at night only.", None),
        ("suggest a name for a bakery in a small harbour town!", "unchanged"),
        ("Sure! Suggest a name for a bakery that bakes rye only.", "not_rewritten"),
        ("Here is a name: The Salty Crust.", "not_rewritten"),
        ("Rewritten prompt, as the original task asked: name it.", "leaked_template"),
        ("Suggest a name for a bakery. " + "It smells of bread. " * 20, "not_rewritten"),
    ],
)
def test_what_is_no_rewriting_goes_with_its_reason(text: str, reason: str | None) -> None:
    material = Material(settings("evol"), tuple(SEEDS))
    turn = Turn(3, ("seed_1",), (PARENT,))
    (candidate,) = RECIPES["evol"].read(material, turn, Completion(text=text, finish_reason="stop"))

    assert (candidate.offence[0] if candidate.offence else None) == reason
    assert candidate.parent == "seed_1"
    assert candidate.operation == operation_of(42, 3).operation


def test_deepening_must_keep_to_the_task_and_broadening_need_not() -> None:
    material = Material(settings("evol"), tuple(SEEDS))
    kinds: dict[str, str | None] = {}
    for ordinal in range(20):
        turn = Turn(ordinal, ("seed_1",), (PARENT,))
        said = Completion(text="List three ways to clean copper pans.", finish_reason="stop")
        (candidate,) = RECIPES["evol"].read(material, turn, said)
        kind = operation_of(42, ordinal).kind
        kinds[kind] = candidate.offence[0] if candidate.offence else None

    assert kinds == {"deepen": "not_rewritten", "broaden": None}


def test_all_operations_and_both_kinds_of_parents_have_their_turn() -> None:
    session = _Session(settings("evol", target=60, look_ahead=4))
    session.work(4, random.Random(0))
    origins = [task.provenance for task in session.tasks()]
    parents = {(one.parent or "").partition("_")[0] for one in origins}

    assert parents == {"seed", "task"}
    assert {one.operation for one in origins} == {one.operation for one in operations()}
    assert all(one.demonstrations == (one.parent,) for one in origins)


# Backtranslation.


def test_the_output_is_the_text_as_it_was_given() -> None:
    session = _Session(settings("backtranslate", target=10))
    session.work(4, random.Random(0))
    given = {one.row: one.text for one in TEXTS}

    for task in session.tasks():
        assert task.instances == (Instance("", given[task.provenance.row or 0].strip()),)


def test_a_run_whose_texts_are_used_up_says_so_and_keeps_what_it_has() -> None:
    session = _Session(settings("backtranslate", target=10_000))
    with pytest.raises(RunPausedError, match=f"all {len(TEXTS)} texts are used up"):
        session.work(16, random.Random(0))

    assert len(session.tasks()) > len(TEXTS) / 2


def test_an_instruction_that_copies_its_text_is_none() -> None:
    material = Material(
        settings("backtranslate"), tuple(SEEDS), (GivenText("Boil the eggs. Peel.", 1),)
    )
    said = Completion(text="boil the eggs!", finish_reason="stop")
    (candidate,) = RECIPES["backtranslate"].read(material, Turn(0, (), ()), said)

    assert candidate.offence == ("copies_text", "boil the eggs")


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("t.jsonl", '{"text": "one"}\n\n{"text": " "}\n{"output": "two"}\n', [1, 4]),
        ("t.csv", "id,text\n1,one\n2,two\n", [2, 3]),
        ("t.txt", "one\n\ntwo\n", [1, 3]),
    ],
)
def test_texts_are_read_from_any_format_with_their_rows(
    tmp_path: Path, name: str, content: str, rows: list[int]
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")
    run = with_texts(settings("backtranslate", texts=str(path)))

    assert [(one.text, one.row) for one in read_texts(run)] == list(
        zip(("one", "two"), rows, strict=True)
    )
    path.write_text(content.replace("two", "three"), "utf-8")
    with pytest.raises(CorpusError, match="not what it was"):
        read_texts(run)


def test_texts_and_the_recipe_that_works_on_them_go_together() -> None:
    with pytest.raises(SettingsError, match="needs --texts"):
        settings("backtranslate", texts="")
    with pytest.raises(SettingsError, match="of no use to --recipe evol"):
        settings("evol", texts="given.jsonl")
