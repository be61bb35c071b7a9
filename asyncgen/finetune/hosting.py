"""What a finetuning by a service is told, and what comes of it."""

from __future__ import annotations

import math
from urllib.parse import urlsplit

from msgspec import Struct

from asyncgen.dataset.openai import MOST_TOKENS
from asyncgen.errors import SettingsError

__all__ = ["Event", "Hosted", "Hosting", "Ledger", "check_hosting"]


class Hosting(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted.

    Attributes:
        data: A run folder, or a file of ``messages`` that an export wrote.
        model: The base model, as the service calls it.
        out: The folder of this finetuning.
        base_url: Of the service, OpenAI's interface.
        api_key_env: Environment variable that holds the key; may change between sessions.
        epochs: How often each example is seen, the paper's 2; 0 leaves it to the service.
        seed: Of the service's random choices.
        suffix: Goes into the new model's name; empty for none.
        system: What the system says first in every conversation of a run.
        include_seeds: Whether a run's seed tasks are learned too.
        token_limit: Most tokens of an example.
        poll: Seconds between two looks at the job; may change between sessions.
        data_sha256: Of the training file, in hexadecimal; found out.
    """

    data: str
    model: str
    out: str
    base_url: str = "https://api.openai.com/v1"
    api_key_env: str = "OPENAI_API_KEY"
    epochs: int = 2
    seed: int = 42
    suffix: str = ""
    system: str = ""
    include_seeds: bool = False
    token_limit: int = MOST_TOKENS
    poll: float = 10.0
    data_sha256: str = ""


class Ledger(Struct, frozen=True, kw_only=True):
    """How far it has come; written down before the next thing is done.

    Attributes:
        mark: A random name that file and job carry at the service, by which they are found.
        file: Id of the training file.
        asked: Whether a job may have been created, though its id is not known.
        job: Id of the job.
    """

    mark: str
    file: str | None = None
    asked: bool = False
    job: str | None = None


class Event(Struct, frozen=True, kw_only=True):
    """What the service says of a job: a line of ``events.jsonl``.

    Attributes:
        id: Its id.
        created_at: Unix time in seconds.
        level: "info", "warn" or "error".
        message: In words.
        data: Numbers, such as ``step`` and ``train_loss``.
    """

    id: str
    created_at: float = 0.0
    level: str = "info"
    message: str = ""
    data: object = None


class Hosted(Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        model: The finetuned model's name, as the service serves it.
        job: Id of the job.
        examples: What was learned from.
        dropped: Examples that were left out because they break a rule, by rule.
        trained_tokens: What the service counts; ``None`` if it does not tell.
        events: JSON lines, see :class:`Event`.
    """

    model: str
    job: str
    examples: int
    dropped: dict[str, int]
    trained_tokens: int | None
    events: str


def check_hosting(hosting: Hosting) -> None:
    """Refuse settings that make no sense.

    Raises:
        SettingsError: Naming the flag.
    """
    url = urlsplit(hosting.base_url)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise SettingsError(f"--base-url {hosting.base_url}: must be like https://HOST/v1")
    if hosting.epochs < 0:
        raise SettingsError(f"--epochs {hosting.epochs}: must be 0 or more")
    if hosting.token_limit < 1:
        raise SettingsError(f"--token-limit {hosting.token_limit}: must be at least 1")
    if not 0 < hosting.poll < math.inf:
        raise SettingsError(f"--poll {hosting.poll}: must be a positive number of seconds")
    if len(hosting.suffix) > 64:
        raise SettingsError(f"--suffix {hosting.suffix}: must not be longer than 64 characters")
