"""Write generations as OpenAI response bodies."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncgen.endpoints.embedded.choice import Choice
    from asyncgen.endpoints.embedded.generation import Generation, ScoredToken

__all__ = [
    "chat_answer",
    "choice_chat_logprobs",
    "choice_logprobs",
    "completion_answer",
    "error_answer",
    "models_answer",
    "token_chat_logprobs",
    "token_logprobs",
]

JsonObject = dict[str, Any]


def completion_answer(
    model: str, text: str, generation: Generation, logprobs: JsonObject | None
) -> JsonObject:
    """Return the body of a completion."""
    choice = {
        "index": 0,
        "text": text,
        "logprobs": logprobs,
        "finish_reason": generation.finish_reason,
    }
    return _envelope("cmpl", "text_completion", model, choice, generation)


def chat_answer(model: str, generation: Generation, logprobs: JsonObject | None) -> JsonObject:
    """Return the body of a chat completion."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": generation.text},
        "logprobs": logprobs,
        "finish_reason": generation.finish_reason,
    }
    return _envelope("chatcmpl", "chat.completion", model, choice, generation)


def token_logprobs(tokens: Sequence[ScoredToken]) -> JsonObject:
    """Return a completion's logprobs: of each token the runtime knows only the taken one's."""
    offsets: list[int] = []
    position = 0
    for token in tokens:
        offsets.append(position)
        position += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": [
            None if token.logprob is None else {token.text: token.logprob} for token in tokens
        ],
        "text_offset": offsets,
    }


def choice_logprobs(choice: Choice) -> JsonObject:
    """Return a completion's logprobs with all allowed answers in `top_logprobs[0]`."""
    return {
        "tokens": [choice.text],
        "token_logprobs": [choice.logprobs[choice.text]],
        "top_logprobs": [choice.logprobs],
        "text_offset": [0],
    }


def token_chat_logprobs(tokens: Sequence[ScoredToken]) -> JsonObject:
    """Return a chat completion's logprobs."""
    entries = [_chat_entry(token.text, token.logprob) for token in tokens]
    return {"content": [entry | {"top_logprobs": [entry]} for entry in entries]}


def choice_chat_logprobs(choice: Choice) -> JsonObject:
    """Return a chat completion's logprobs with all allowed answers as `top_logprobs`."""
    entries = [_chat_entry(text, logprob) for text, logprob in choice.logprobs.items()]
    entries.sort(key=lambda entry: -entry["logprob"])
    taken = _chat_entry(choice.text, choice.logprobs[choice.text])
    return {"content": [taken | {"top_logprobs": entries}]}


def models_answer(model: str, context_length: int) -> JsonObject:
    """Return the body of the list of models; the length's name is vLLM's."""
    entry = {
        "id": model,
        "object": "model",
        "created": 0,
        "owned_by": "asyncgen",
        "max_model_len": context_length,
    }
    return {"object": "list", "data": [entry]}


def error_answer(message: str, kind: str, param: str | None, code: str | None) -> JsonObject:
    """Return the body of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _chat_entry(text: str, logprob: float | None) -> JsonObject:
    return {"token": text, "logprob": logprob, "bytes": list(text.encode())}


def _envelope(
    prefix: str, kind: str, model: str, choice: JsonObject, generation: Generation
) -> JsonObject:
    usage: JsonObject = {
        "prompt_tokens": generation.prompt_tokens,
        "completion_tokens": generation.completion_tokens,
        "total_tokens": generation.prompt_tokens + generation.completion_tokens,
    }
    if generation.cached_tokens is not None:
        usage["prompt_tokens_details"] = {"cached_tokens": generation.cached_tokens}
    return {
        "id": f"{prefix}-{uuid.uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": usage,
    }
