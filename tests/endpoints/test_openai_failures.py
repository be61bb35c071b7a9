"""Every way in which a service fails, over a real connection: our class, one clear line."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from endpoints.harness import error_body, failure
from support.server import ModelServer, Reply

from asyncgen.errors import (
    BadAnswerError,
    DisconnectedError,
    EndpointRefusedError,
    OverloadedError,
    QuotaError,
    RateLimitedError,
    RequestRejectedError,
    TransientError,
    UnreachableError,
)

if TYPE_CHECKING:
    from typing import Self

    from asyncgen.errors import AsyncgenError

TESTS = str(Path(__file__).parents[1])


def fail(reply: Reply, expected: type[AsyncgenError]) -> AsyncgenError:
    with ModelServer(lambda _body, _number: reply) as server:
        error: AsyncgenError = failure(server.url, expected)
    return error


# Host, path, key, model or request is wrong: which, and how to mend it.


def test_a_refusal_names_a_wrong_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "wrong")
    with ModelServer(key="right") as server:
        error = failure(server.url, EndpointRefusedError, api_key_env="MY_KEY")

    assert str(error) == (
        f"{server.url}: HTTP 401, the key in $MY_KEY is not accepted for it: Incorrect API "
        "key provided; set $MY_KEY, or name another variable with --api-key-env"
    )


def test_a_refusal_names_a_missing_key() -> None:
    with ModelServer(key="right") as server:
        error = failure(server.url, EndpointRefusedError)

    assert "HTTP 401, no key in $OPENAI_API_KEY is" in str(error)


def test_a_refusal_names_a_forbidden_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    error = fail(Reply(status=403, body=error_body("not yours")), EndpointRefusedError)

    assert "HTTP 403, the key in $OPENAI_API_KEY" in str(error)
    assert "not yours" in str(error)


def test_a_refusal_names_an_unknown_model_with_those_that_are_served() -> None:
    with ModelServer(model="llama-8b") as server:
        error = failure(server.url, EndpointRefusedError, model="llama-9b")

    assert str(error) == f"{server.url}: HTTP 404, unknown model 'llama-9b'; it serves: llama-8b"


def test_a_refusal_names_a_wrong_path() -> None:
    with ModelServer() as server:
        error = failure(server.url.removesuffix("/v1"), EndpointRefusedError)

    assert "wrong path: there is no /chat/completions below it" in str(error)
    assert "usually ends in /v1" in str(error)


def test_a_refusal_names_a_model_that_has_only_the_other_interface() -> None:
    error = fail(Reply(status=404, body=error_body("not a chat model")), EndpointRefusedError)

    assert "it serves 'test-model' but not /chat/completions: try --api completions" in str(error)


@pytest.mark.parametrize("status", [400, 405, 422])
def test_a_refusal_names_a_request_of_a_form_that_it_does_not_know(status: int) -> None:
    error = fail(Reply(status=status, body=error_body("bad form")), EndpointRefusedError)

    assert f"HTTP {status}, the request is not accepted: bad form" in str(error)


@pytest.mark.parametrize("url", ["http://..../v1", f"http://{'x' * 70}/v1", "http://h:99999/v1"])
def test_a_refusal_names_a_name_that_no_host_can_have(url: str) -> None:
    assert str(failure(url, EndpointRefusedError)) == f"{url}: not a URL"


def test_a_refused_connection_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        error = failure(url, UnreachableError)

    assert str(error) == f"{url}: connection refused; is the server running there?"
    assert not error.possibly_billed


def test_an_unknown_host_is_unreachable() -> None:
    error = failure("http://model-server.invalid/v1", UnreachableError)

    assert str(error) == "http://model-server.invalid/v1: unknown host 'model-server.invalid'"


# Worth another attempt, and perhaps paid for.


def test_a_connection_that_is_reset_is_worth_another_attempt() -> None:
    with ModelServer(lambda _body, _number: Reply(reset=True)) as server:
        error = failure(server.url, DisconnectedError)

    assert str(error).startswith(server.url)
    assert error.possibly_billed


def test_a_body_that_is_shorter_than_announced_is_worth_another_attempt() -> None:
    with ModelServer(lambda _body, _number: Reply(cut=True, body=b'{"choices"')) as server:
        error = failure(server.url, DisconnectedError)

    assert "not completed" in str(error)
    assert error.possibly_billed


def test_a_service_that_does_not_speak_http_is_worth_another_attempt() -> None:
    with _Greeter(b"SSH-2.0-OpenSSH_9.9\r\nhello\r\n") as greeter:
        error = failure(greeter.url, DisconnectedError)

    assert "Bad status line" in str(error)


# HTTP 200, but not what the interface promises.


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"<html>\n<h1>Welcome\nto nginx</h1>", "not JSON: <html> <h1>Welcome to nginx</h1>"),
        (b'{"choices": [', "not JSON"),
        (error_body("the backend\nhas gone"), "the backend has gone"),
        (b'{"error": "out of\\nmemory"}', "out of memory"),
        (b'{"choices": []}', "not an answer: {'choices': []}"),
        (b'{"choices": null}', "not an answer"),
        (b'{"choices": [null]}', "not an answer"),
        (b'{"choices": [{"message": null}]}', "not an answer"),
        (b'{"choices": [{"finish_reason": "stop"}]}', "not an answer"),
        (b'{"choices": [{"message": "hi"}]}', "not an answer"),
        (b'{"choices": {"0": 1}}', "not an answer"),
        (b"[]", "not an answer"),
        (b"null", "not an answer"),
        pytest.param(b"[" * 100_000, "not JSON", id="nested"),
        (b'"hi"', "not an answer"),
        (b'{"n": 123456789012345678901234567890}', "not an answer"),
        (b'{"text": "\\ud800"}', "not an answer"),
    ],
)
def test_a_success_without_an_answer_is_tried_again_and_may_have_been_billed(
    body: bytes, said: str
) -> None:
    error = fail(Reply(body=body), BadAnswerError)

    assert isinstance(error, BadAnswerError)
    assert said in str(error)
    assert error.possibly_billed


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, TransientError) for status in (408, 409, 425, 500, 502, 504)),
        (429, RateLimitedError),
        (503, OverloadedError),
        (529, OverloadedError),
    ],
)
def test_trouble_that_passes_is_tried_again(status: int, expected: type[TransientError]) -> None:
    with ModelServer(lambda _b, _n: Reply(status=status, body=error_body("busy"))) as server:
        error = failure(server.url, expected)

    assert str(error) == f"{server.url}: HTTP {status}: busy"
    assert error.retry_after is None
    assert error.possibly_billed == (status in {408, 504})


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"Retry-After-Ms": "250", "Retry-After": "9"}, 0.25),
    ],
)
def test_the_wait_that_is_asked_for_is_read(headers: dict[str, str], seconds: float) -> None:
    error = fail(Reply(status=429, body=error_body("slow"), headers=headers), RateLimitedError)

    assert isinstance(error, RateLimitedError)
    assert error.retry_after == seconds


def test_a_date_to_wait_for_is_read() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    reply = Reply(status=503, body=error_body("back soon"), headers={"Retry-After": date})
    error = fail(reply, OverloadedError)

    assert isinstance(error, OverloadedError)
    assert error.retry_after is not None
    assert 80 < error.retry_after <= 91


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (402, "anything"),
        (429, "insufficient_quota"),
        (429, "billing_hard_limit_reached"),
        (429, "organization_spend_limit_exceeded"),
    ],
)
def test_an_account_without_credit_pauses_the_run(status: int, code: str) -> None:
    body = error_body("You exceeded your current quota", code=code)
    error = fail(Reply(status=status, body=body, headers={"Retry-After": "1"}), QuotaError)

    assert "no credit or quota left" in str(error)
    assert "You exceeded your current quota" in str(error)


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        (400, {"code": "context_length_exceeded"}),
        (400, {"code": 400, "type": "exceed_context_size_error"}),
        (400, {"code": "content_filter"}),
        (413, {}),
    ],
)
def test_a_request_that_can_never_be_answered_is_rejected_alone(
    status: int, fields: dict[str, object]
) -> None:
    """What is kept with the run names no address: replicas must not change it."""
    error = fail(Reply(status=status, body=error_body("too\nlong", **fields)), RequestRejectedError)

    assert str(error) == f"HTTP {status}: too long"


def test_what_others_say_is_limited_to_one_printable_line() -> None:
    said = "\x1b[31mred\x1b[0m\r\n\u2028" + "blah " * 500
    with ModelServer(lambda _b, _n: Reply(status=500, body=error_body(said))) as server:
        error = failure(server.url, TransientError)

    assert str(error).isprintable()
    assert len(str(error)) < 400
    assert str(error).endswith("…")


# Certificates are checked.


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with ModelServer(tls=_context(certificate)) as server:
        error = failure(server.url, EndpointRefusedError)

    assert "TLS failed" in str(error)
    assert "$SSL_CERT_FILE" in str(error)


def test_the_bundle_in_the_environment_decides(certificate: Path) -> None:
    """In a process of its own, for the bundle is read once."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from endpoints.harness import send; print(send(sys.argv[1]).text)"
    )
    with ModelServer(lambda _b, _n: Reply("Rhine"), tls=_context(certificate)) as server:
        done = subprocess.run(
            [sys.executable, "-c", program, server.url, TESTS],
            env={"SSL_CERT_FILE": str(certificate)},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    assert (done.stdout, done.returncode) == ("Rhine\n", 0), done.stderr


def test_https_to_a_server_without_it_names_the_scheme() -> None:
    with ModelServer() as server:
        error = failure(server.url.replace("http", "https"), EndpointRefusedError)

    assert "check the scheme" in str(error)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh self-signed certificate for 127.0.0.1, with its key in the same file."""
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    try:
        subprocess.run(
            [*command.split(), "-keyout", f"{path}.key", "-out", path],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"openssl cannot make a certificate here: {error}")
    path.write_bytes(path.read_bytes() + path.with_name("both.pem.key").read_bytes())
    return path


def _context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class _Greeter:
    """Says the same to whoever connects, and hangs up."""

    def __init__(self, greeting: bytes) -> None:
        self._greeting = greeting
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._greet, daemon=True)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)
        self._socket.close()

    def _greet(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(self._greeting)
