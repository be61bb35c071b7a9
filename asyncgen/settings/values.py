"""The values that a run is told by."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

from asyncgen.records import Api, Sampling

__all__ = [
    "CHANGEABLE",
    "DERIVING",
    "EMBEDDED",
    "EMBEDDED_PRESET",
    "LIMITS",
    "LOWERABLE",
    "PAPER_PRESET",
    "PRESETS",
    "SIMULATED",
    "EndpointSettings",
    "HeaderFamily",
    "Price",
    "ProfileName",
    "RecipeName",
    "Settings",
    "TokenizerName",
    "api_family",
]

SIMULATED = "simulated"
"""The endpoint name that stands for a simulated provider, started for the run."""

EMBEDDED = "local"
"""The endpoint name that stands for the embedded model."""

LIMITS = ("rpm", "tpm", "input_tpm", "output_tpm", "rpd")
"""Settings that limit the rate of an endpoint."""

CHANGEABLE = frozenset(
    {
        "endpoint",
        "endpoints",
        "api_key_env",
        "max_in_flight",
        *LIMITS,
        "max_cost",
        "cache",
        "timeout",
        "connect_timeout",
        "first_byte_timeout",
        "stall_timeout",
        "max_attempts",
        "surplus",
        "model_path",
        "hub",
        "slots",
    }
)
"""Settings that may change from session to session of one run."""

LOWERABLE = frozenset({"saturation_bound"})
"""Settings that may be lowered. Raised, what was made of the latest answers would have to go."""

DERIVING = (
    "profile",
    "tokenizer",
    "require_language",
    "threshold",
    "exclude",
    "max_instances",
    "target",
    "saturation_window",
    "saturation_bound",
)
"""Settings that change what follows from answers, whatever was asked: those of ``refilter``."""

HeaderFamily = Literal["auto", "openai", "azure", "anthropic", "groq", "together", "none"]
"""Whose rate-limit headers an endpoint sends; ``auto`` decides by host and values."""

ProfileName = Literal["default", "paper"]
"""``paper`` does everything as the original did, ``default`` has its defects mended."""

RecipeName = Literal["self-instruct", "alpaca", "evol", "backtranslate"]
"""How a run comes by new tasks."""

TokenizerName = Literal["rouge", "unicode"]
"""How texts are cut into tokens to be compared: runs of a-z and 0-9, or letters and digits of
any script."""

_KEYS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
"""Where the key of an interface usually is."""


def api_family(api: Api) -> Literal["openai", "anthropic"]:
    """Return whose interface one is."""
    return "anthropic" if api == "anthropic" else "openai"


class Price(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an endpoint costs, in US dollars per million tokens.

    Attributes:
        cached: Of input read from a prefix cache; as other input if it is left out.
        cache_write: Of input written to one; as other input if it is left out.
    """

    input: float
    output: float
    cached: float | None = None
    cache_write: float | None = None


class EndpointSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint with one key; what is left out is as the run's settings say.

    Attributes:
        url: Base URL.
        weight: Its share of the requests, relative to the other endpoints.
        rpm, tpm, input_tpm, output_tpm, rpd: Its limits, as in :class:`Settings`.
        max_in_flight: Ceiling of its simultaneous requests, below that of the run.
        price: What it costs, instead of its provider's public prices.
        headers: Whose rate-limit headers it sends.
    """

    url: str
    model: str = ""
    api: Api | None = None
    api_key_env: str = ""
    weight: float = 1.0
    rpm: float | None = None
    tpm: float | None = None
    input_tpm: float | None = None
    output_tpm: float | None = None
    rpd: float | None = None
    max_in_flight: int | None = None
    price: Price | None = None
    headers: HeaderFamily = "auto"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a run is told.

    Attributes:
        endpoint: Base URLs of services, or ``local``.
        endpoints: Services with settings of their own, beside those.
        model: The model's name as the endpoint knows it.
        api: Which of the endpoint's interfaces to use.
        classification_api: The same for the classification stage, where it differs:
            likelihoods of the answers come from completions.
        continues: Whether the chat interface goes on with an answer that was begun for
            it, as vLLM and the embedded model do; lists then keep their form.
        api_key_env: Environment variable that holds the key; empty for the usual one of
            the interface.
        recipe: How it comes by new tasks.
        texts: File of texts to find instructions for, for the recipe that works on such.
        texts_sha256: What it held when the run began.
        profile: How answers become tasks: how they are read, which rules they must pass.
        prompts: In whose form they are asked for; the profile's where it is left out.
        tokenizer: How texts are cut to be compared; with ``unicode`` the rules of the default
            profile count and judge in any script.
        language: Code of the language in which tasks are asked for; empty for that of the
            prompts, English.
        require_language: Code of the language that instructions must be in, by a detector;
            empty for any.
        blacklist_add: Words and phrases that an instruction must not hold, beside the profile's.
        blacklist_remove: Those of the profile's blacklist that it may hold.
        target: How many finished tasks are wanted.
        seeds: File of seed tasks; empty for those of the package.
        seeds_sha256: What it held when the run began.
        exclude: Files of texts that nothing kept may resemble, as ``FILE`` or ``FILE:FIELD``.
        exclude_sha256: What they held when the run began, in the same order, with the field.
        seed: Keys every random choice of the run.
        demonstrations: Tasks shown in a generation prompt.
        machine_demonstrations: How many of them machine-made, when there are.
        tasks_per_request: New tasks asked for in one request.
        look_ahead: A generation request sees the pool as it stood this many answers ago.
        threshold: An instruction is rejected when its ROUGE-L to any other exceeds it.
        max_instances: Instances asked for and kept per task.
        output_first_tokens: Upper bound of an answer with instances of a classification task,
            where it is lower than that of the stage.
        decisions_per_request: Tasks of one answer that are asked about together whether they are
            classification tasks; those without a clear answer are asked about alone.
        few_shot: Examples shown in an instance prompt; ``None`` for all there are.
        yes_bias: Added to the log-odds of "is a classification task" where the endpoint
            gives likelihoods, for models that lean to one answer.
        max_in_flight: Ceiling of simultaneous requests.
        rpm: Requests per minute and endpoint; ``None`` for no limit.
        tpm: Tokens per minute and endpoint, input and output together.
        input_tpm: Input tokens per minute and endpoint.
        output_tpm: Output tokens per minute and endpoint.
        rpd: Requests per day and endpoint.
        max_cost: US dollars that the run may cost in all; ``None`` for no limit.
        cache: Folder of answers that runs share; empty for none.
        timeout: Seconds for one whole request.
        connect_timeout: Seconds to connect.
        first_byte_timeout: Seconds from a request to the first byte of its answer, which
            comes when all of it is made; ``None`` for as long as ``timeout``.
        stall_timeout: Seconds between two pieces of an answer.
        max_attempts: Attempts at one request before the run pauses.
        saturation_window: How many of the last answers, and of the last tasks, say whether asking
            on is of use.
        saturation_bound: Share of the candidates in them that must be kept, and of those tasks
            that must end with a valid instance; below it the run pauses. 0 for never.
        surplus: Share of the target that is made beyond it, in expectation, so that the
            last tasks need no extra round; it costs tokens and saves time.
        model_path: GGUF file for the embedded model, instead of the default one.
        hub: ``REPO[:FILE]`` on the hub for the embedded model.
        slots: Sequences the embedded model decodes side by side; ``None`` for its default.
        generation, classification, instances: Decoding of each stage.
    """

    endpoint: tuple[str, ...] = ()
    endpoints: tuple[EndpointSettings, ...] = ()
    model: str = ""
    api: Api = "chat"
    classification_api: Api | None = None
    continues: bool = False
    api_key_env: str = ""
    recipe: RecipeName = "self-instruct"
    texts: str = ""
    texts_sha256: str = ""
    profile: ProfileName = "default"
    prompts: ProfileName = "default"
    tokenizer: TokenizerName = "rouge"
    language: str = ""
    require_language: str = ""
    blacklist_add: tuple[str, ...] = ()
    blacklist_remove: tuple[str, ...] = ()
    target: int = 1000
    seeds: str = ""
    seeds_sha256: str = ""
    exclude: tuple[str, ...] = ()
    exclude_sha256: tuple[str, ...] = ()
    seed: int = 42
    demonstrations: int = 8
    machine_demonstrations: int = 2
    tasks_per_request: int = 8
    look_ahead: int = 64
    threshold: float = 0.7
    max_instances: int = 5
    output_first_tokens: int | None = None
    decisions_per_request: int = 1
    few_shot: int | None = None
    yes_bias: float = 0.0
    max_in_flight: int = 64
    rpm: float | None = None
    tpm: float | None = None
    input_tpm: float | None = None
    output_tpm: float | None = None
    rpd: float | None = None
    max_cost: float | None = None
    cache: str = ""
    timeout: float = 300.0
    connect_timeout: float = 10.0
    first_byte_timeout: float | None = None
    stall_timeout: float = 120.0
    max_attempts: int = 8
    saturation_window: int = 100
    saturation_bound: float = 0.02
    surplus: float = 0.1
    model_path: str = ""
    hub: str = ""
    slots: int | None = None
    generation: Sampling = Sampling(max_output_tokens=1024, temperature=0.7)
    classification: Sampling = Sampling(max_output_tokens=8, temperature=0.0)
    instances: Sampling = Sampling(max_output_tokens=512, temperature=0.0)

    @property
    def is_embedded(self) -> bool:
        """Whether the run starts the embedded model."""
        return self.endpoint == (EMBEDDED,)

    @property
    def is_simulated(self) -> bool:
        """Whether the run starts a simulated provider."""
        return self.endpoint == (SIMULATED,)

    def lanes(self) -> tuple[EndpointSettings, ...]:
        """Return every endpoint and key in order, what they leave open filled in from the run."""
        urls = tuple(EndpointSettings(url=url) for url in self.endpoint)
        return tuple(self._filled_in(lane) for lane in urls + self.endpoints)

    def _filled_in(self, lane: EndpointSettings) -> EndpointSettings:
        api = lane.api or self.api
        usual = self.api_key_env if api_family(api) == api_family(self.api) else ""
        limits = {
            name: getattr(self, name) if getattr(lane, name) is None else getattr(lane, name)
            for name in LIMITS
        }
        return msgspec.structs.replace(
            lane,
            model=lane.model or self.model,
            api=api,
            api_key_env=lane.api_key_env or usual or _KEYS[api_family(api)],
            **limits,
        )


EMBEDDED_PRESET: dict[str, Any] = {
    "api": "chat",
    "classification_api": "completions",
    "continues": True,
    "max_in_flight": 48,
    "surplus": 0.3,
    "look_ahead": 16,
    "max_instances": 1,
    "few_shot": 8,
    "yes_bias": 1.0,
    "generation": {
        "max_output_tokens": 320,
        "temperature": 0.5,
        "top_k": 40,
        "repetition_penalty": 1.1,
    },
    "instances": {"max_output_tokens": 128, "temperature": 0.0, "repetition_penalty": 1.1},
}
"""What suits a very small model; measured in ``benchmarks/LOG.md``."""

PAPER_PRESET: dict[str, Any] = {
    "api": "completions",
    "classification_api": None,
    "demonstrations": 8,
    "machine_demonstrations": 2,
    "tasks_per_request": 7,
    "threshold": 0.7,
    "max_instances": 5,
    "few_shot": None,
    "output_first_tokens": 300,
    "generation": {
        "max_output_tokens": 1024,
        "temperature": 0.7,
        "top_p": 0.5,
        "presence_penalty": 2.0,
        "top_k": None,
        "repetition_penalty": None,
    },
    "classification": {"max_output_tokens": 3, "temperature": 0.0},
    "instances": {
        "max_output_tokens": 350,
        "temperature": 0.0,
        "presence_penalty": 1.5,
        "repetition_penalty": None,
    },
}
"""How the original asked and decoded. Its ``top_p`` of 0 beside a temperature of 0 says nothing
more, and some servers refuse it; its 300 tokens, which tasks of a batch with a classification task
got, are for the classification tasks, as in the paper."""

PRESETS: dict[str, dict[str, Any]] = {"default": {}, "paper": PAPER_PRESET}
"""What the form of the prompts brings with it."""
