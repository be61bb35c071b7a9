"""Other people's JSON: what an error body says, values that may be anything. Plain functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "count",
    "error_code",
    "error_message",
    "error_of",
    "error_words",
    "model_names",
    "one_line",
    "parsed",
    "parsed_or_none",
    "said_by",
    "table",
    "well_formed",
]

_LARGEST_COUNT = 2**53
_LONGEST_LINE = 300


def parsed(content: bytes) -> Any:
    """Return what a JSON text stands for; one with half characters in it is read all the same.

    Raises:
        ValueError: If it is no JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # Strict about UTF-8, where a model was cut off in the middle of a character.
        try:
            return json.loads(content.decode("utf-8", "replace"))
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def parsed_or_none(content: bytes) -> Any:
    """Return what a JSON text stands for, ``None`` if it is no JSON."""
    try:
        return parsed(content)
    except ValueError:
        return None


def table(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def count(value: Any) -> int:
    """Return a number of tokens; 0 for what cannot be one."""
    # A union would be made anew for each of the numbers of each answer.
    if value is None or not isinstance(value, (int, float)) or not 0 <= value <= _LARGEST_COUNT:
        return 0
    return int(value)


def well_formed(text: str) -> str:
    """Return the text with what no UTF-8 can hold replaced: half of a character cut in two."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def error_of(body: Any) -> Mapping[str, Any]:
    """Return the error that a body holds; Gemini's is in a list of one."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    error = table(body).get("error")
    return error if isinstance(error, dict) else {"message": error}


def error_words(body: Any) -> tuple[str, ...]:
    """Return the words by which an error is known: its ``code``, ``type`` and ``status``."""
    error = error_of(body)
    words = (error.get("code"), error.get("type"), error.get("status"))
    return tuple(word for word in words if isinstance(word, str) and word)


def error_code(content: bytes) -> str:
    """Return the ``code`` of an error body, its ``type`` if that is no word, else nothing."""
    return next(iter(error_words(parsed_or_none(content))), "")


def said_by(body: Any) -> str:
    """Return the message of an error on one line, nothing if there is none."""
    return one_line(error_of(body).get("message") or "")


def error_message(content: bytes) -> str:
    """Return what an error body says, on one line of at most 300 characters."""
    return said_by(parsed_or_none(content)) or one_line(content.decode("utf-8", "replace"))


def one_line(said: object) -> str:
    """Return other people's words on one line of at most 300 printable characters."""
    text = str(said)[: 4 * _LONGEST_LINE]
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(printable.split())
    return line if len(line) <= _LONGEST_LINE else f"{line[: _LONGEST_LINE - 1]}…"


def model_names(content: bytes) -> list[str] | None:
    """Return the ids in an answer to ``GET /models``, or ``None`` if it is none."""
    try:
        return [str(model["id"]) for model in parsed_or_none(content)["data"]]
    except (KeyError, TypeError):
        return None
