"""Checked access to the fields of a request body."""

from __future__ import annotations

from typing import Any

import orjson

__all__ = ["BadRequestError", "Fields"]


class BadRequestError(Exception):
    """Raised when a request is answered with an OpenAI-shaped error.

    Attributes:
        param: The field at fault, if one is.
        code: OpenAI's name for the error, if it has one.
        status: HTTP status of the answer.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, *, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status


class Fields:
    """A JSON object whose fields are checked when they are read; null counts as absent."""

    def __init__(self, body: bytes) -> None:
        try:
            content: Any = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequestError(f"the body is not JSON: {error}") from error
        if not isinstance(content, dict):
            raise BadRequestError("the body must be a JSON object")
        self._content: dict[str, Any] = content

    def get(self, name: str) -> Any:
        """Return a field's value as it stands, None if absent."""
        return self._content.get(name)

    def number(self, name: str, default: float, low: float, high: float) -> float:
        """Return a number within bounds (inclusive)."""
        value = self.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise BadRequestError(f"{name} must be a number", name)
        if not low <= value <= high:
            raise BadRequestError(f"{name} must be between {low:g} and {high:g}", name)
        return float(value)

    def integer(self, name: str, low: int, high: int) -> int | None:
        """Return an integer within bounds (inclusive), None if absent."""
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadRequestError(f"{name} must be an integer", name)
        if not low <= value <= high:
            raise BadRequestError(f"{name} must be between {low} and {high}", name)
        return value

    def flag(self, name: str) -> bool:
        """Return a truth value, false if absent."""
        value = self.get(name)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise BadRequestError(f"{name} must be true or false", name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a text or a list of texts, none of them empty, as a tuple."""
        value = self.get(name)
        if value is None:
            return ()
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not all(t and isinstance(t, str) for t in texts):
            raise BadRequestError(f"{name} must be a text or a list of texts", name)
        return tuple(texts)
