"""Each phase of an attempt has its time, over real connections.

A phase that is over in time is not held against the next.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from endpoints.harness import failure, send
from support.server import ModelServer, Reply

from asyncgen.errors import TimedOutError

if TYPE_CHECKING:
    from typing import Self

LONG = 30.0
"""Seconds. Never waited for: the phase under test ends first."""


def test_an_attempt_that_takes_too_long_in_all_may_have_been_billed() -> None:
    with ModelServer(lambda _body, _number: Reply(delay=LONG)) as server:
        error = failure(server.url, TimedOutError, total=0.05)

    assert str(error) == f"{server.url}: no answer within 0.05 s"
    assert (error.phase, error.possibly_billed) == ("total", True)


def test_a_first_byte_that_comes_too_late_may_have_been_billed() -> None:
    with ModelServer(lambda _body, _number: Reply(delay=LONG)) as server:
        error = failure(server.url, TimedOutError, total=LONG, first_byte=0.05)

    assert str(error) == f"{server.url}: no first byte within 0.05 s"
    assert (error.phase, error.possibly_billed) == ("first_byte", True)


def test_an_answer_that_stalls_may_have_been_billed() -> None:
    with ModelServer(lambda _body, _number: Reply("Rhine", stall=LONG)) as server:
        error = failure(server.url, TimedOutError, total=LONG, first_byte=LONG, stall=0.05)

    assert str(error) == f"{server.url}: the answer stalled for 0.05 s"
    assert (error.phase, error.possibly_billed) == ("stalled", True)


def test_an_answer_that_stalls_is_ended_where_the_first_byte_has_no_limit() -> None:
    with ModelServer(lambda _body, _number: Reply("Rhine", stall=LONG)) as server:
        error = failure(server.url, TimedOutError, total=LONG, stall=0.05)

    assert error.phase == "stalled"


def test_a_stall_limit_does_not_count_while_the_answer_is_made() -> None:
    with ModelServer(lambda _body, _number: Reply("Rhine", delay=0.4)) as server:
        assert send(server.url, stall=0.05, first_byte=LONG).text == "Rhine"


def test_a_limit_for_the_first_byte_does_not_count_once_it_has_come() -> None:
    with ModelServer(lambda _body, _number: Reply("Rhine", stall=0.6)) as server:
        assert send(server.url, stall=LONG, first_byte=0.3).text == "Rhine"


def test_an_answer_may_pause_for_ever_without_a_stall_limit() -> None:
    with ModelServer(lambda _body, _number: Reply("Rhine", stall=0.6)) as server:
        assert send(server.url, stall=None, first_byte=0.3).text == "Rhine"


def test_a_connection_that_does_not_come_about_was_not_billed() -> None:
    """A server that takes the connection, but never answers the greeting of TLS."""
    with _Silent() as silent:
        error = failure(silent.url, TimedOutError, connect=0.05)

    assert str(error) == f"{silent.url}: no connection within 0.05 s"
    assert (error.phase, error.possibly_billed) == ("connect", False)


class _Silent:
    """Takes a connection and says nothing until it is closed."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self.url = f"https://127.0.0.1:{self._socket.getsockname()[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)
        self._socket.close()

    def _listen(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            while connection.recv(1 << 16):
                pass
