"""A plain HTTP client for the tests of the embedded server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

MODEL = "SmolLM2-135M-Instruct"


def call(url: str, body: dict[str, Any] | bytes | None = None) -> tuple[int, dict[str, Any]]:
    """GET, or POST a body; return the status and the JSON answer."""
    data = json.dumps(body).encode() if isinstance(body, dict) else body
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=50) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def complete(base_url: str, prompt: str, **fields: Any) -> dict[str, Any]:
    """Return a greedy completion that must succeed."""
    body = {"prompt": prompt, "temperature": 0, **fields}
    status, answer = call(f"{base_url}/completions", body)
    assert status == 200, answer
    return answer


def choice_logprobs(base_url: str, prompt: str, choices: list[str]) -> dict[str, float]:
    """Return the log-probability of each choice."""
    answer = complete(base_url, prompt, logprobs=1, structured_outputs={"choice": choices})
    logprobs: dict[str, float] = answer["choices"][0]["logprobs"]["top_logprobs"][0]
    return logprobs
