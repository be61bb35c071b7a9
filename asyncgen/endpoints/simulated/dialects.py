"""The JSON of the three interfaces: requests in, answers out. Plain functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from msgspec import Struct

if TYPE_CHECKING:
    from asyncgen.endpoints.simulated.answers import Answer
    from asyncgen.endpoints.simulated.buckets import Usage
    from asyncgen.records import Api

__all__ = ["PATHS", "Asked", "Complaint", "answer_body", "models_body", "read_request"]

PATHS: dict[str, Api] = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "completions",
    "/v1/messages": "anthropic",
}


class Asked(Struct, frozen=True):
    """A request that can be answered.

    Attributes:
        api: The interface that it came by.
        model: The model that it names.
        prompt: All text of it.
        last: Its last message; of a completion all of it.
        stops: Strings that end the answer.
        max_tokens: Bound of the answer, if there is one.
        seed: Its sampling seed, 0 if it has none.
        logprobs: Whether it wants likelihoods.
    """

    api: Api
    model: str
    prompt: str
    last: str
    stops: tuple[str, ...]
    max_tokens: int | None
    seed: int
    logprobs: bool

    @property
    def is_chat(self) -> bool:
        """Whether the answer is a message rather than the text's continuation."""
        return self.api != "completions"


class Complaint(Struct, frozen=True):
    """What is wrong with a request."""

    status: int
    message: str
    code: str


def read_request(api: Api, content: bytes) -> Asked | Complaint:
    """Read a request's body; what it holds beyond the known is let pass."""
    try:
        body: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return _bad(f"We could not parse the JSON body of your request: {error}", "invalid_json")
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        return _bad("you must provide a model parameter", "missing_model")
    if body.get("stream") or body.get("n") not in (None, 1):
        return _bad("this provider neither streams nor gives several answers", "unsupported_value")
    limit = body.get("max_tokens", body.get("max_completion_tokens"))
    if not _is_limit(limit) or (api == "anthropic" and limit is None):
        return _bad("max_tokens: a positive integer is needed", "invalid_value")
    texts = _texts(api, body)
    if texts is None:
        return _bad("the prompt or the messages are missing or malformed", "invalid_value")
    seed = body.get("seed")
    return Asked(
        api=api,
        model=body["model"],
        prompt=texts[0] if len(texts) == 1 else "\n\n".join(texts),
        last=texts[-1],
        stops=_stops(body),
        max_tokens=limit,
        seed=seed if isinstance(seed, int) else 0,
        logprobs=body.get("logprobs") not in (None, False),
    )


def answer_body(asked: Asked, answer: Answer, usage: Usage, name: str) -> bytes:
    """Write an answer; ``name`` goes into its id."""
    if asked.api == "anthropic":
        return orjson.dumps(_message(asked, answer, usage, name))
    choice: dict[str, Any] = {"index": 0, "finish_reason": "length" if answer.cut else "stop"}
    if asked.api == "chat":
        choice["message"] = {"role": "assistant", "content": answer.text}
        choice["logprobs"] = _chat_logprobs(answer) if asked.logprobs else None
    else:
        choice["text"] = answer.text
        choice["logprobs"] = _completion_logprobs(answer) if asked.logprobs else None
    return orjson.dumps(
        {
            "id": f"chatcmpl-{name}" if asked.api == "chat" else f"cmpl-{name}",
            "object": "chat.completion" if asked.api == "chat" else "text_completion",
            "created": 0,  # the same request, the same bytes
            "model": asked.model,
            "choices": [choice],
            "usage": {
                "prompt_tokens": usage.prompt,
                "completion_tokens": usage.output,
                "total_tokens": usage.prompt + usage.output,
                "prompt_tokens_details": {"cached_tokens": usage.cached},
            },
        }
    )


def models_body(model: str) -> bytes:
    """Write the list of models."""
    entry = {"id": model, "object": "model", "created": 0, "owned_by": "asyncgen"}
    return orjson.dumps({"object": "list", "data": [entry]})


def _bad(message: str, code: str) -> Complaint:
    return Complaint(400, message, code)


def _is_limit(value: object) -> bool:
    return value is None or (isinstance(value, int) and value is not True and value > 0)


def _texts(api: Api, body: dict[str, Any]) -> list[str] | None:
    """Return the texts of a request in their order, ``None`` if there are none."""
    if api == "completions":
        prompt = body.get("prompt")
        return [prompt] if isinstance(prompt, str) else None
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return None
    contents = [
        message.get("content") if isinstance(message, dict) else None for message in messages
    ]
    if body.get("system"):
        contents.insert(0, body["system"])
    texts = [_text(content) for content in contents]
    return [text for text in texts if text is not None] if None not in texts else None


def _text(content: Any) -> str | None:
    """Return a message's text, which may come in blocks."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    blocks = [block.get("text") for block in content if isinstance(block, dict)]
    return "".join(text for text in blocks if isinstance(text, str))


def _stops(body: dict[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop", body.get("stop_sequences"))
    if isinstance(stop, str):
        return (stop,)
    return tuple(text for text in stop if isinstance(text, str)) if isinstance(stop, list) else ()


def _message(asked: Asked, answer: Answer, usage: Usage, name: str) -> dict[str, Any]:
    return {
        "id": f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [{"type": "text", "text": answer.text}],
        "stop_reason": "max_tokens" if answer.cut else "end_turn",
        "stop_sequence": None,
        "usage": {
            # What came out of the cache is not part of the input here.
            "input_tokens": usage.prompt - usage.cached,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": usage.cached,
            "output_tokens": usage.output,
        },
    }


def _likely(answer: Answer) -> dict[str, float]:
    return dict(answer.likelihoods) or {answer.text[:4]: -0.1}


def _completion_logprobs(answer: Answer) -> dict[str, Any]:
    likely = _likely(answer)
    token = max(likely, key=likely.__getitem__)
    return {
        "tokens": [token],
        "token_logprobs": [likely[token]],
        "top_logprobs": [likely],
        "text_offset": [0],
    }


def _chat_logprobs(answer: Answer) -> dict[str, Any]:
    entries = [
        {"token": token.strip(), "logprob": value, "bytes": list(token.strip().encode())}
        for token, value in sorted(_likely(answer).items(), key=lambda entry: -entry[1])
    ]
    return {"content": [entries[0] | {"top_logprobs": entries}]}
