"""What the simulated provider answers to a request, without a server and for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from support.server import Reply

from asyncgen.endpoints.anthropic_wire import ANTHROPIC
from asyncgen.endpoints.openai_wire import OPENAI
from asyncgen.endpoints.simulated.answers import answer_to
from asyncgen.endpoints.simulated.buckets import Usage
from asyncgen.endpoints.simulated.dialects import Asked, answer_body, read_request
from asyncgen.endpoints.wire import Dialect
from asyncgen.records import Completion

if TYPE_CHECKING:
    from asyncgen.records import Request

__all__ = ["answered", "replied"]


def answered(request: Request) -> Completion:
    """Send a request through the wire forms of both sides."""
    wire = ANTHROPIC if request.prompt.api == "anthropic" else OPENAI
    body = wire.body(request, Dialect(model="m"))
    asked = read_request(request.prompt.api, body)
    assert isinstance(asked, Asked)
    answer = answer_to(asked, seed=0, usual_tokens=50)
    said = wire.read(
        orjson.loads(answer_body(asked, answer, Usage(1, 0, 1), "x")), request.sampling
    )
    return Completion(
        text=said.text, finish_reason=said.finish_reason, choice_logprobs=said.choice_logprobs
    )


def replied(body: dict[str, Any], *, delay: float) -> Reply:
    """Answer a chat request that came to a server."""
    asked = read_request("chat", orjson.dumps(body))
    assert isinstance(asked, Asked)
    answer = answer_to(asked, seed=0, usual_tokens=50)
    return Reply(answer.text, finish_reason="length" if answer.cut else "stop", delay=delay)
