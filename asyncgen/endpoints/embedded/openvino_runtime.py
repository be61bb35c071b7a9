"""The OpenVINO runtime: continuous batching in one thread that owns the pipeline.

Log-probabilities come from the unmodified distribution: before temperature, penalties and
constraints (measured, see benchmarks/LOG.md).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asyncgen.endpoints.embedded.generation import (
    Generation,
    GenerationParameters,
    ScoredToken,
    UnservableError,
)
from asyncgen.endpoints.embedded.grammar import literal_grammar
from asyncgen.endpoints.embedded.stepper import Job, Stepper, last_line
from asyncgen.errors import MissingExtraError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from asyncgen.endpoints.embedded.options import ServerOptions

__all__ = ["OpenVinoRuntime", "load_openvino"]


def load_openvino(path: Path, context_length: int, options: ServerOptions) -> OpenVinoRuntime:
    """Load a GGUF file into OpenVINO; takes seconds.

    Raises:
        MissingExtraError: openvino-genai is not installed.
        ModelFileError: OpenVINO cannot open this file.
    """
    try:
        import openvino_genai
    except ImportError as error:
        raise MissingExtraError("the embedded model", "local") from error
    scheduler = openvino_genai.SchedulerConfig()
    scheduler.max_num_seqs = options.slots
    scheduler.cache_size = options.cache_gigabytes
    scheduler.enable_prefix_caching = options.prefix_caching
    # With 32-bit keys and values an answer does not depend on what else is in the batch or in
    # the cache, bit for bit; 8 bits are no faster and drift with every reuse of a block.
    # Likewise on processors that know bfloat16 or 8-bit products: left to itself OpenVINO takes
    # them there, the former with no such cache at all, the latter by what else is in the batch.
    properties: dict[str, Any] = {
        "KV_CACHE_PRECISION": "f32",
        "INFERENCE_PRECISION_HINT": "f32",
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": "0",
    }
    if options.threads:
        properties["INFERENCE_NUM_THREADS"] = options.threads

    def build() -> Any:
        return openvino_genai.ContinuousBatchingPipeline(str(path), scheduler, "CPU", properties)

    try:
        return OpenVinoRuntime(build, context_length, options)
    except RuntimeError as error:
        raise ModelFileError(
            f"{path}: OpenVINO cannot open this model: {last_line(error)}"
        ) from error


class OpenVinoRuntime:
    """A model loaded into OpenVINO's continuous batching pipeline."""

    def __init__(
        self, build: Callable[[], Any], context_length: int, options: ServerOptions
    ) -> None:
        self._stepper = Stepper(build, options.slots, share_prefixes=options.prefix_caching)
        self._tokenizer = self._stepper.pipeline.get_tokenizer()
        self._tokens_by_bytes: dict[bytes, int] = self._tokenizer.get_vocab()
        self._bytes_by_token = {token: text for text, token in self._tokens_by_bytes.items()}
        self._context_length = context_length
        self._prefix_caching = options.prefix_caching

    @property
    def context_length(self) -> int:
        """Most tokens of a prompt and its continuation together."""
        return self._context_length

    async def chat_prompt(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return the messages written out by the model's chat template."""
        try:
            prompt: str = self._tokenizer.apply_chat_template(
                [dict(message) for message in messages], add_generation_prompt=True
            )
        except RuntimeError as error:
            raise UnservableError(f"the chat template refuses these messages: {error}") from error
        return prompt

    async def tokenize(self, text: str, *, special: bool) -> tuple[int, ...]:
        """Return the text's token ids; below a millisecond for a long prompt."""
        encoded = self._tokenizer.encode(text, add_special_tokens=special)
        return tuple(encoded.input_ids.data[0].tolist())

    async def generate(
        self, prompt: tuple[int, ...], parameters: GenerationParameters
    ) -> Generation:
        """Continue a prompt.

        Raises:
            UnservableError: The parameters cannot be honoured.
            RuntimeFailedError: The pipeline broke down.
        """
        if parameters.echo and self._prefix_caching:
            raise UnservableError(
                "echo with logprobs needs the server started with --no-prefix-caching: "
                "cached prompt tokens are not computed again"
            )
        job = Job(prompt, _generation_config(parameters), parameters.constraint)
        output = await self._output(job)
        return self._generation(prompt, parameters, output)

    async def score(self, prompt: tuple[int, ...], token: int) -> float:
        """Return the natural log-probability of one token right after the prompt.

        The runtime reports the log-probability of the token it generates, so it is made to
        generate this one: a grammar admits the token's text, and the tokens that are only the
        beginning of that text are forbidden as stop tokens.

        Raises:
            UnservableError: The token is not whole characters.
            RuntimeFailedError: The pipeline broke down.
        """
        spelling = self._bytes_by_token[token]
        try:
            text = spelling.decode()
        except UnicodeDecodeError as error:
            raise UnservableError(f"token {token} is not whole characters") from error
        beginnings = (spelling[:length] for length in range(1, len(spelling)))
        forbidden = {self._tokens_by_bytes[b] for b in beginnings if b in self._tokens_by_bytes}
        output = await self._output(Job(prompt, _forcing_config(text, forbidden), text))
        if list(output.generated_ids) != [token]:
            raise UnservableError(f"the runtime cannot be made to score {text!r}")
        return float(output.generated_log_probs[0])

    def close(self) -> None:
        """Stop computing; waiting requests fail."""
        self._stepper.close()

    async def _output(self, job: Job) -> Any:
        self._stepper.submit(job)
        # Cancelling the awaiting task cancels the future, which the stepper watches.
        return await asyncio.wrap_future(job.future)

    def _generation(
        self, prompt: tuple[int, ...], parameters: GenerationParameters, output: Any
    ) -> Generation:
        ids = list(output.generated_ids)
        text = self._tokenizer.decode(ids[len(prompt) :] if parameters.echo else ids)
        kept = _before_stop(text, parameters.stop)
        stopped = kept != text or output.finish_reason.name == "STOP"
        return Generation(
            text=kept,
            finish_reason="stop" if stopped else "length",
            prompt_tokens=len(prompt),
            completion_tokens=len(ids) - (len(prompt) if parameters.echo else 0),
            tokens=self._scored(ids, output, parameters) if parameters.logprobs else (),
        )

    def _scored(
        self, ids: list[int], output: Any, parameters: GenerationParameters
    ) -> tuple[ScoredToken, ...]:
        texts = self._tokenizer.decode([[token] for token in ids], skip_special_tokens=False)
        logprobs: list[float | None] = list(output.generated_log_probs)
        if parameters.echo:
            # Nothing came before the first token; the runtime marks it with 1.0.
            logprobs[0] = None
        return tuple(map(ScoredToken, texts, logprobs))


def _before_stop(text: str, stop: tuple[str, ...]) -> str:
    found = [position for s in stop if (position := text.find(s)) >= 0]
    return text[: min(found)] if found else text


def _generation_config(parameters: GenerationParameters) -> Any:
    import openvino_genai

    config = openvino_genai.GenerationConfig(
        max_new_tokens=parameters.max_tokens,
        apply_chat_template=False,
        logprobs=int(parameters.logprobs),
        echo=parameters.echo,
        presence_penalty=parameters.presence_penalty,
        frequency_penalty=parameters.frequency_penalty,
        repetition_penalty=parameters.repetition_penalty,
    )
    if parameters.temperature > 0:
        config.do_sample = True
        config.temperature = parameters.temperature
        config.top_p = parameters.top_p
        config.min_p = parameters.min_p
        config.rng_seed = parameters.seed
        if parameters.top_k:
            config.top_k = parameters.top_k
    if parameters.stop:
        config.stop_strings = set(parameters.stop)
        # Without it the runtime drops whole tokens, and with them text before the stop text.
        config.include_stop_str_in_output = True
    if parameters.constraint is not None:
        field = {"regex": "regex", "json": "json_schema", "grammar": "grammar"}
        config.structured_output_config = openvino_genai.StructuredOutputConfig(
            **{field[parameters.constraint.kind]: parameters.constraint.value}
        )
    return config


def _forcing_config(text: str, forbidden: set[int]) -> Any:
    import openvino_genai

    return openvino_genai.GenerationConfig(
        max_new_tokens=1,
        # The runtime gives stop tokens no chance before min_new_tokens are there.
        min_new_tokens=1,
        stop_token_ids=forbidden,
        apply_chat_template=False,
        logprobs=1,
        structured_output_config=openvino_genai.StructuredOutputConfig(
            grammar=literal_grammar(text)
        ),
    )
