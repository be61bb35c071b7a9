"""A tuned GGUF file is the tuned model: in transformers, and behind the embedded model's server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from anyio.from_thread import start_blocking_portal
from finetune.material import ROWS, write_rows

from asyncgen.endpoints.embedded import (
    ModelSource,
    ServerOptions,
    embedded_server,
    find_model,
)
from asyncgen.errors import ModelFileError
from asyncgen.finetune.base import find_base, load_model, load_tokenizer
from asyncgen.finetune.local import tune
from asyncgen.finetune.tuning import Tuned, Tuning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.endpoints.embedded.options import RuntimeName

pytestmark = pytest.mark.slow  # a minute of two cores


@pytest.fixture(scope="module")
def tuned(gguf_model: Path, rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """All weights trained until it knows the data by heart."""
    settings = Tuning(
        data=str(rows),
        model=str(gguf_model),
        out=str(tmp_path_factory.mktemp("tuned")),
        full=True,
        steps=50,
        batch=4,
        accumulate=2,
        learning_rate=1e-2,
    )
    return tune(settings)


def logits_of(model: Any) -> Any:
    import torch

    with torch.no_grad():
        return model.eval()(torch.arange(60).reshape(2, 30) + 50).logits


def test_a_model_in_a_gguf_file_is_tuned_as_the_same_in_a_folder(
    tuned: Tuned, model: Path, rows: Path, tmp_path: Path
) -> None:
    settings = Tuning(
        data=str(rows),
        model=str(model),
        out=str(tmp_path / "out"),
        full=True,
        steps=50,
        batch=4,
        accumulate=2,
        learning_rate=1e-2,
    )
    other = tune(settings)
    assert Path(other.losses).read_bytes() == Path(tuned.losses).read_bytes()
    assert other.gguf is None


@pytest.mark.parametrize(("kind", "error"), [("f16", 2e-3), ("q8_0", 4e-2)])
def test_a_gguf_file_reads_back_as_the_tuned_model(
    tuned: Tuned, gguf_model: Path, tmp_path: Path, kind: str, error: float
) -> None:
    import gguf
    import torch

    from asyncgen.finetune.gguf_file import write_gguf

    ours = load_model(find_base(tuned.model), "fp32")
    target = tmp_path / "again.gguf"
    write_gguf(ours, gguf_model, kind, target)
    theirs = load_model(find_base(str(target)), "fp32")
    expected = logits_of(ours)
    assert (logits_of(theirs) - expected).abs().max() < error * expected.abs().max()
    # As they were before they were trained, they would be far off.
    untrained = logits_of(load_model(find_base(str(gguf_model)), "fp32"))
    assert (untrained - expected).abs().max() > 0.3 * expected.abs().max()
    assert load_tokenizer(find_base(str(target))).chat_template is not None
    kinds = {tensor.name: tensor.tensor_type for tensor in gguf.GGUFReader(target).tensors}
    assert kinds["blk.0.attn_norm.weight"] == gguf.GGMLQuantizationType.F32
    assert kinds["blk.0.attn_q.weight"].name.lower() == kind
    assert torch.isfinite(expected).all()


def test_a_file_that_is_not_of_the_model_is_refused(tuned: Tuned, tmp_path: Path) -> None:
    import gguf
    import numpy as np

    from asyncgen.finetune.gguf_file import write_gguf

    writer = gguf.GGUFWriter(tmp_path / "odd.gguf", "llama")
    writer.add_tensor("blk.0.unheard_of.weight", np.zeros((32, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    model = load_model(find_base(tuned.model), "fp32")
    with pytest.raises(ModelFileError, match=r"unheard_of\.weight has no counterpart"):
        write_gguf(model, tmp_path / "odd.gguf", "f16", tmp_path / "new.gguf")


def served(
    path: str,
    prompts: Sequence[str],
    log: Path,
    tokens: int = 30,
    runtime: RuntimeName = "llamacpp",
) -> list[str]:
    """What the embedded model's server answers with a GGUF file, at temperature 0."""
    import urllib.request

    found = find_model(ModelSource(Path(path)))
    answers: list[str] = []
    with start_blocking_portal() as portal:
        context = embedded_server(found, ServerOptions(slots=2, runtime=runtime), log)
        with portal.wrap_async_context_manager(context) as server:
            for prompt in prompts:
                body = {"prompt": prompt, "max_tokens": tokens, "temperature": 0}
                request = urllib.request.Request(  # noqa: S310 - our own server
                    f"{server.base_url}/completions",
                    data=orjson.dumps(body),
                    headers={"Content-Type": "application/json"},
                )
                with urllib.request.urlopen(request) as response:  # noqa: S310 - likewise
                    answers.append(orjson.loads(response.read())["choices"][0]["text"])
    return answers


@pytest.mark.timeout(180)
def test_the_server_answers_as_it_was_trained(tuned: Tuned, tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    assert tuned.gguf is not None
    answers = served(tuned.gguf, [row["prompt"] for row in ROWS], tmp_path / "server.log")
    assert answers == [row["completion"] for row in ROWS]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_embedded_model_is_tuned_and_served(tmp_path: Path) -> None:
    """Its file, dequantised, an adapter of few steps, and the same greedy text on both sides."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    rows = write_rows(tmp_path / "rows.jsonl", ROWS)
    settings = Tuning(
        data=str(rows), model="local", out=str(tmp_path / "out"), steps=12, learning_rate=1e-3
    )
    tuned = tune(settings)
    assert tuned.gguf is not None
    assert tuned.last_loss < tuned.first_loss / 2
    tokenizer: Any = AutoTokenizer.from_pretrained(tuned.model)
    model: Any = AutoModelForCausalLM.from_pretrained(tuned.model).eval()
    prompts, answers = [row["prompt"] for row in ROWS], list[str]()
    for prompt in prompts:
        asked = tokenizer(prompt, return_tensors="pt")
        tokens = model.generate(**asked, max_new_tokens=12, do_sample=False)[0]
        answer = tokens[asked["input_ids"].shape[1] :]
        answers.append(tokenizer.decode(answer, skip_special_tokens=True))
    told = served(tuned.gguf, prompts, tmp_path / "server.log", tokens=12, runtime="openvino")
    # Weights of eight bits, and a cache of eight bits in OpenVINO: a near tie may fall otherwise.
    assert sum(map(str.__eq__, told, answers)) >= len(prompts) - 3
