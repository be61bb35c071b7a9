"""Keys: read from the environment when they are needed, kept and told nowhere."""

from __future__ import annotations

import os

from asyncgen.errors import SettingsError

__all__ = ["key_in", "usable_key", "without_key"]


def key_in(api_key_env: str) -> str:
    """Return the key in an environment variable, empty if there is none."""
    return os.environ.get(api_key_env, "").strip()


def usable_key(api_key_env: str) -> str:
    """Return the key in an environment variable, empty if there is none.

    Raises:
        SettingsError: If no header can carry it.
    """
    key = key_in(api_key_env)
    if not key.isascii() or (key and not key.isprintable()):
        raise SettingsError(f"${api_key_env}: the key holds characters that no header can")
    return key


def without_key(content: bytes, api_key_env: str) -> bytes:
    """Blot out the key in what a service says of an error: some quote what they were sent."""
    key = key_in(api_key_env).encode()
    return content.replace(key, b"***") if key else content
