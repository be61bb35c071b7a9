"""Training on this machine, for real: what is learned, what is written, what a kill leaves."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
import pytest
from finetune.material import ROWS, write_rows
from support.command import start

from asyncgen.errors import InputError, RunFolderError, RunPausedError, TrainingError
from asyncgen.finetune.local import tune
from asyncgen.finetune.losses import read_losses
from asyncgen.finetune.tuning import Step, Tuned, Tuning
from asyncgen.finetune.watch import Watch
from asyncgen.journal import RunLock

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS = 20


@pytest.fixture
def tuning(model: Path, rows: Path, tmp_path: Path) -> Tuning:
    """Small steps of a small model, and many checkpoints."""
    return Tuning(
        data=str(rows),
        model=str(model),
        out=str(tmp_path / "out"),
        steps=STEPS,
        batch=4,
        accumulate=2,
        learning_rate=1e-2,
        save_every=0,
    )


@pytest.fixture(scope="module")
def undisturbed(model: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """What comes of these settings without an interruption."""
    return tune(
        Tuning(
            data=str(rows),
            model=str(model),
            out=str(tmp_path_factory.mktemp("undisturbed")),
            steps=STEPS,
            batch=4,
            accumulate=2,
            learning_rate=1e-2,
        )
    )


def changed(tuning: Tuning, **changes: Any) -> Tuning:
    return msgspec.structs.replace(tuning, **changes)


def answers_of(folder: str) -> list[str]:
    """What a model answers to the prompts of the data, at temperature 0."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder).eval()
    answers: list[str] = []
    for row in ROWS:
        asked = tokenizer(row["prompt"], return_tensors="pt")
        tokens = model.generate(**asked, max_new_tokens=30, do_sample=False)[0]
        answers.append(tokenizer.decode(tokens[asked["input_ids"].shape[1] :]))
    return answers


def same_files(one: str, other: str) -> bool:
    names = sorted(path.name for path in Path(one).iterdir())
    assert names == sorted(path.name for path in Path(other).iterdir())
    return all(
        (Path(one) / name).read_bytes() == (Path(other) / name).read_bytes() for name in names
    )


def test_the_loss_falls_and_every_step_is_written_down(undisturbed: Tuned) -> None:
    steps = read_losses(Path(undisturbed.losses))
    assert [one.step for one in steps] == list(range(1, STEPS + 1))
    assert undisturbed.steps == STEPS
    assert undisturbed.last_loss < undisturbed.first_loss * 0.7
    assert steps[-1].epoch == pytest.approx(STEPS / 2)  # two updates see all eleven
    rates = [one.learning_rate / 1e-2 for one in steps]
    assert rates == pytest.approx([1 - step / STEPS for step in range(STEPS)])
    assert undisturbed.trained[0] < undisturbed.trained[1] / 5
    assert not (Path(undisturbed.losses).parent / "checkpoints").exists()


@pytest.mark.parametrize("packing", [False, True])
@pytest.mark.parametrize(("batch", "accumulate"), [(16, 1), (2, 8)])
def test_the_loss_is_the_cross_entropy_of_the_completions(
    tuning: Tuning, model: Path, *, packing: bool, batch: int, accumulate: int
) -> None:
    """Told another way: each example alone, through torch's own loss, a mean over all tokens."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(model))
    llama: Any = AutoModelForCausalLM.from_pretrained(str(model)).eval()
    total, count = 0.0, 0
    for row in ROWS:
        prompt = tokenizer(row["prompt"])["input_ids"]
        answer = [*tokenizer(row["completion"])["input_ids"], tokenizer.eos_token_id]
        with torch.no_grad():
            logits = llama(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
        total += torch.nn.functional.cross_entropy(
            logits, torch.tensor(answer), reduction="sum"
        ).item()
        count += len(answer)
    options = {"packing": packing, "length": 60, "batch": batch, "accumulate": accumulate}
    tuned = tune(changed(tuning, steps=1, **options))
    assert tuned.tokens == count
    assert (tuned.sequences < len(ROWS)) == packing
    assert tuned.first_loss == pytest.approx(total / count, rel=1e-5)


@pytest.mark.filterwarnings("ignore::FutureWarning")  # peft calls what transformers renamed
def test_the_merged_model_is_the_base_with_its_adapter(undisturbed: Tuned, model: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    assert undisturbed.adapter is not None
    base: Any = AutoModelForCausalLM.from_pretrained(str(model))
    adapted = PeftModel.from_pretrained(base, undisturbed.adapter).eval()
    merged: Any = AutoModelForCausalLM.from_pretrained(undisturbed.model).eval()
    tokens = torch.arange(60).reshape(2, 30) + 50
    with torch.no_grad():
        torch.testing.assert_close(adapted(tokens).logits, merged(tokens).logits)
    assert merged.config.use_cache


def test_a_full_finetuning_learns_the_data_by_heart_and_ends_its_answers(tuning: Tuning) -> None:
    tuned = tune(changed(tuning, full=True, steps=50, learning_rate=1e-2))
    assert tuned.adapter is None
    assert tuned.trained[0] == tuned.trained[1]
    assert answers_of(tuned.model) == [f"{row['completion']}<|end|>" for row in ROWS]


def test_a_done_finetuning_is_not_done_again(undisturbed: Tuned, model: Path, rows: Path) -> None:
    class Strict(Watch):
        def stepped(self, step: Step, steps: int) -> None:
            raise AssertionError("trained again")

    settings = Tuning(
        data=str(rows),
        model=str(model),
        out=str(Path(undisturbed.model).parent),
        steps=STEPS,
        accumulate=2,
        learning_rate=1e-2,
    )
    assert tune(settings, Strict()) == undisturbed


@pytest.mark.timeout(300)
def test_killed_in_the_middle_it_goes_on_to_the_same_weights(
    tuning: Tuning, undisturbed: Tuned
) -> None:
    """SIGKILL to a real process; the losses and the weights are those of a run without it."""
    out = Path(tuning.out)
    options = ["--steps", str(STEPS), "--batch", "4", "--accumulate", "2", "--save-every", "0"]
    command = ["finetune", "local", tuning.data, "--model", tuning.model, "--out", tuning.out]
    with start(*command, *options, "--learning-rate", "0.01", OMP_NUM_THREADS="1") as process:
        try:
            while len(read_losses(out / "losses.jsonl")) < 5:
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
        finally:
            process.kill()
    reached = len(read_losses(out / "losses.jsonl"))
    assert 5 <= reached < STEPS
    assert process.returncode == -signal.SIGKILL
    begun: list[int] = []

    class Recorder(Watch):
        def stepped(self, step: Step, steps: int) -> None:
            begun.append(step.step)

    tuned = tune(tuning, Recorder())
    assert 1 < begun[0] <= reached + 1
    assert Path(tuned.losses).read_bytes() == Path(undisturbed.losses).read_bytes()
    assert same_files(tuned.model, undisturbed.model)
    assert not list(out.glob(".*.partial"))


class Stopping(Watch):
    """Asks to stop after so many steps."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.steps: list[int] = []

    def stepped(self, step: Step, steps: int) -> None:
        """Count."""
        self.steps.append(step.step)

    def stopped(self) -> bool:
        """Whether that many were made."""
        return len(self.steps) >= self.after


def test_stopped_again_and_again_it_comes_to_the_same_weights(
    tuning: Tuning, undisturbed: Tuned
) -> None:
    seldom = changed(tuning, save_every=1000.0)
    for reached in (8, 16):
        watch = Stopping(7)
        with pytest.raises(RunPausedError, match=f"stopped after step {reached}") as caught:
            tune(seldom, watch)
        assert caught.value.exit_code == 3
        # It is asked before a step is counted: one more was under way.
        assert len(watch.steps) == 8
    tuned = tune(seldom, Stopping(7))
    assert Path(tuned.losses).read_bytes() == Path(undisturbed.losses).read_bytes()
    assert same_files(tuned.model, undisturbed.model)


def test_a_checkpoint_that_a_kill_cut_off_is_passed_over(
    tuning: Tuning, undisturbed: Tuned
) -> None:
    with pytest.raises(RunPausedError):
        tune(changed(tuning, save_every=1000.0), Stopping(7))
    cut = Path(tuning.out) / "checkpoints" / "checkpoint-15"
    cut.mkdir()
    (cut / "trainer_state.json").write_text("{")
    tuned = tune(tuning)
    assert Path(tuned.losses).read_bytes() == Path(undisturbed.losses).read_bytes()


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"epochs": 3.0}, "epochs: 2.0 → 3.0"),
        ({"full": True}, "full: False → True"),
        ({"seed": 1}, "seed: 42 → 1"),
        ({"learning_rate": 1.0}, "learning_rate: 0.01 → 1.0"),
    ],
)
def test_other_settings_are_refused_and_named(
    tuning: Tuning, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(RunPausedError):
        tune(tuning, Stopping(0))
    with pytest.raises(RunFolderError, match=named):
        tune(changed(tuning, **changes))


def test_other_data_and_another_model_are_refused_wherever_they_lie(
    tuning: Tuning, model: Path, tmp_path: Path
) -> None:
    from shutil import copytree

    with pytest.raises(RunPausedError):
        tune(tuning, Stopping(0))
    other = write_rows(tmp_path / "other.jsonl", ROWS[:-1])
    with pytest.raises(RunFolderError, match="data_sha256"):
        tune(changed(tuning, data=str(other)))
    moved = copytree(model, tmp_path / "moved")
    with pytest.raises(RunPausedError):
        tune(changed(tuning, model=str(moved)), Stopping(0))
    weights = moved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    with pytest.raises(RunFolderError, match="model_sha256"):
        tune(changed(tuning, model=str(moved)))


def test_one_process_works_in_a_folder(tuning: Tuning) -> None:
    Path(tuning.out).mkdir()
    with RunLock(Path(tuning.out)), pytest.raises(RunFolderError, match="in use by process"):
        tune(tuning)


def test_a_folder_of_something_else_is_left_alone(tuning: Tuning) -> None:
    Path(tuning.out).mkdir()
    (Path(tuning.out) / "thesis.tex").write_text("mine")
    with pytest.raises(RunFolderError, match=r"holds thesis\.tex"):
        tune(tuning)


def test_a_loss_that_is_no_number_ends_it(tuning: Tuning) -> None:
    with pytest.raises(TrainingError, match=r"no number at step \d+: try a lower --learning-rate"):
        tune(changed(tuning, full=True, learning_rate=1e30))
    losses = (Path(tuning.out) / "losses.jsonl").read_bytes().splitlines()
    assert all(isinstance(orjson.loads(line)["loss"], float) for line in losses)


def _with(**changes: Any) -> Callable[[Tuning, Path], Tuning]:
    return lambda tuning, _: changed(tuning, **changes)


def _no_folder(tuning: Tuning, folder: Path) -> Tuning:
    return changed(tuning, model=str(folder / "nowhere"))


def _no_config(tuning: Tuning, folder: Path) -> Tuning:
    (folder / "empty").mkdir()
    return changed(tuning, model=str(folder / "empty"))


def _no_gguf(tuning: Tuning, folder: Path) -> Tuning:
    (folder / "bad.gguf").write_bytes(b"GGML")
    return changed(tuning, model=str(folder / "bad.gguf"))


def _no_rows(tuning: Tuning, folder: Path) -> Tuning:
    return changed(tuning, data=str(write_rows(folder / "none.jsonl", [])))


def _other_rows(tuning: Tuning, folder: Path) -> Tuning:
    rows: list[dict[str, Any]] = [*ROWS, {"text": "only"}]
    return changed(tuning, data=str(write_rows(folder / "text.jsonl", rows)))


def _mixed_rows(tuning: Tuning, folder: Path) -> Tuning:
    chat = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    return changed(tuning, data=str(write_rows(folder / "mixed.jsonl", [ROWS[0], chat])))


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (_no_folder, "no such folder or GGUF file"),
        (_no_config, "config.json is missing"),
        (_no_gguf, "not a usable GGUF file"),
        (_no_rows, "holds no example"),
        (_other_rows, f"text.jsonl:{len(ROWS) + 1}: needs 'prompt' and 'completion'"),
        (_mixed_rows, "mixed.jsonl:2: is of form chat"),
        (_with(form="chat"), "--format chat: .* holds prompt-comp"),
        (_with(gguf="f16"), "--gguf f16: only a model that was"),
        (_with(include_seeds=True), "--include-seeds"),
        (_with(batch=0), "--batch 0: must be at least 1"),
        (_with(epochs=0.0), "--epochs 0.0: must be a positive number"),
        (_with(length=3), "--length 3: every example is longer"),
        (_with(data="no/where"), "no/where: cannot be read"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    tuning: Tuning, tmp_path: Path, bad: Callable[[Tuning, Path], Tuning], said: str
) -> None:
    with pytest.raises(InputError, match=said) as caught:
        tune(bad(tuning, tmp_path))
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)
