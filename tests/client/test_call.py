"""A call's way through the client: what the transport is asked for, what is tried again, and what the caller hears."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from kits.call_kit import FakeStop, FakeTime

from syncbot.client.client import POLL_SCOPE, Call, Client
from syncbot.client.encode import Encoded
from syncbot.client.limits import Limiter, Limits
from syncbot.client.retry import RetryPolicy
from syncbot.errors import BadRequest, DeliveryUncertain, NetworkError, NotSent, Phase, RetryAfter
from syncbot.transport import FakeTransport
from syncbot.types import Response

TOKEN = "123456789:TEST-abcdefghijklmnopqrstuvwxyz0123"


class Line:
    """A client over a fake transport, on a clock of its own."""

    def __init__(self, limits: Limits | None = None, **answers: Any) -> None:
        self.clock = FakeTime()
        self.stop = FakeStop(self.clock)
        self.transport = FakeTransport(**answers)
        self.client = Client(
            TOKEN,
            self.transport,
            base_url="https://api.example",
            timeout=20.0,
            deadline=60.0,
            retry=RetryPolicy(attempts=4, first_wait=1.0),
            limiter=Limiter(limits, self.clock) if limits else None,
            min_rate=1000.0,
            clock=self.clock,
        )
        self.client.stop = self.stop

    def call(self, method: str = "sendMessage", **options: Any) -> Any:
        return self.client.call(Call(method, Encoded(options.pop("fields", {})), **options))


def refused(code: int, description: str, **parameters: Any) -> Response:
    """Telegram's refusal."""
    body = {"ok": False, "error_code": code, "description": description, "parameters": parameters}
    return Response(code, {"Content-Type": "application/json"}, json.dumps(body).encode())


def cut(**facts: Any) -> NetworkError:
    return NetworkError("the connection was reset", method="sendMessage", phase=Phase.MAYBE_SENT, stage="receive", proxy="http://p:1", **facts)


LARGE = {"text": "x" * (30_000 - len('{"text":""}'))}
"""The parameters of a call whose body has 30,000 bytes."""


def test_a_request_holds_what_the_transport_needs() -> None:
    """The URL with the token, the body and its type, the bounds in seconds; the token stands nowhere else."""
    line = Line(sendMessage=1)
    line.call(fields={"a": "1"}, timeout=5.0)
    (request,) = line.transport.requests
    assert request.url == f"https://api.example/bot{TOKEN}/sendMessage"
    assert (request.method, request.verb, request.body, dict(request.headers)) == ("sendMessage", "POST", b'{"a":"1"}', {"Content-Type": "application/json"})
    assert (request.timeout, request.wait, request.min_rate, request.scope, request.stop) == (5.0, 0.0, 1000.0, "", None)
    assert TOKEN not in repr(request) + repr(line.client)


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 60.0),
        ({"deadline": 7.0}, 7.0),
        ({"timeout": 90.0}, 90.0),
        ({"timeout": 90.0, "deadline": 7.0}, 7.0),
        ({"wait": 50.0}, 110.0),
        ({"wait": 50.0, "deadline": 7.0}, 7.0),
        ({"fields": LARGE}, 90.0),
        ({"fields": LARGE, "deadline": 7.0}, 7.0),
    ],
)
def test_the_deadline_of_a_call(fields: dict[str, Any], seconds: float) -> None:
    """The client's, with a poll's wait and the time for a large body on top, unless the call has its own, which is kept to the letter."""
    line = Line(sendMessage=1)
    line.call(**fields)
    assert line.transport.requests[0].deadline == pytest.approx(1000.0 + seconds, abs=0.1)


def test_only_a_poll_is_cut_by_a_stop() -> None:
    """The transport gets the stop event with a poll alone; a message that is under way is let finish."""
    line = Line(sendMessage=1, getUpdates=[])
    line.call()
    line.call("getUpdates", scope=POLL_SCOPE)
    assert [request.stop for request in line.transport.requests] == [None, line.stop]


def test_a_poll_passes_the_limits_by() -> None:
    """getUpdates waits for no turn and takes none."""
    line = Line(Limits(per_second=1), getUpdates=[], sendMessage=1)
    for _ in range(10):
        line.call("getUpdates", scope=POLL_SCOPE)
    line.call(chat=42)
    assert line.stop.waits == []


# --- What is tried again.


def test_a_message_that_was_not_sent_is_sent_in_the_end() -> None:
    """Attempts that never left are repeated, with the same body."""
    line = Line(sendMessage=[NotSent("no route"), NotSent("no route"), {"message_id": 7}])
    assert line.call(fields={"text": "hi"}) == {"message_id": 7}
    assert [call.parameters for call in line.transport.calls] == [{"text": "hi"}] * 3


def test_a_message_that_may_have_been_sent_is_not_repeated() -> None:
    """It is DeliveryUncertain at once, with the facts of what happened, and no chain behind it."""
    line = Line(sendMessage=[cut(), {"message_id": 7}])
    with pytest.raises(DeliveryUncertain) as caught:
        line.call()
    error = caught.value
    assert (error.method, error.phase, error.stage, error.proxy, error.attempts) == ("sendMessage", Phase.MAYBE_SENT, "receive", "http://p:1", 1)
    assert "reset" in str(error)
    assert "may have been carried out" in str(error)
    assert error.__context__ is None
    assert len(line.transport.calls) == 1


def test_an_uncertain_attempt_after_one_that_was_not_sent() -> None:
    """The count of attempts is that of the whole call."""
    line = Line(sendMessage=[NotSent("no route"), cut(), {"message_id": 7}])
    with pytest.raises(DeliveryUncertain) as caught:
        line.call()
    assert caught.value.attempts == 2
    assert caught.value.elapsed == pytest.approx(sum(line.stop.waits))


def test_a_foreign_answer_to_a_message_is_uncertain_and_knows_that_an_answer_came() -> None:
    """A gateway's page may stand before or behind Telegram."""
    line = Line(sendMessage=Response(502, {"Content-Type": "text/html"}, b"<html>"))
    with pytest.raises(DeliveryUncertain) as caught:
        line.call()
    assert caught.value.phase is Phase.ANSWERED


def test_a_repeatable_call_is_repeated_whatever_happened() -> None:
    """Cut, foreign answer, 500: it goes on until an answer comes."""
    line = Line(getMe=[cut(), Response(502, {}, b"<html>"), refused(500, "Internal Server Error: restart"), {"id": 1}])
    assert line.call("getMe", repeatable=True) == {"id": 1}


def test_an_edit_that_was_done_by_a_lost_attempt_returns_true() -> None:
    """Telegram's "not modified" to the second attempt shows that the first one did it."""
    line = Line(editMessageText=[cut(), refused(400, "Bad Request: message is not modified")])
    assert line.call("editMessageText", repeatable=True) is True


def test_a_call_brings_its_own_policy() -> None:
    """`retry` of a call wins over the client's."""
    line = Line(getMe=[NotSent("no route")])
    with pytest.raises(NotSent) as caught:
        line.call("getMe", retry=RetryPolicy(attempts=1))
    assert caught.value.attempts == 1


def test_a_429_pauses_the_chat_for_everybody() -> None:
    """Who writes to the same chat meanwhile waits too, and nobody else."""
    line = Line(Limits(), sendMessage=[refused(429, "Too Many Requests: retry after 5", retry_after=5), {"message_id": 1}])
    with pytest.raises(RetryAfter):
        line.call(chat=42, retry=RetryPolicy(attempts=1))
    line.call(chat=43)
    assert line.stop.waits == []
    line.call(chat=42)
    assert line.stop.waits == [pytest.approx(5.0)]


def test_a_429_is_waited_for_once() -> None:
    """The retry and the pause of the chat are the same time, not one after the other."""
    line = Line(Limits(), sendMessage=[refused(429, "Too Many Requests: retry after 5", retry_after=5), {"message_id": 1}])
    assert line.call(chat=42) == {"message_id": 1}
    assert sum(line.stop.waits) == pytest.approx(5.0)


def test_a_deadline_that_is_over_makes_no_attempt() -> None:
    """Nothing is sent that nobody waits for any more."""
    line = Line(sendMessage=1)
    with pytest.raises(NotSent, match="deadline"):
        line.call(deadline=-1.0)
    assert line.transport.calls == []


def test_a_stop_during_a_wait_ends_the_call() -> None:
    """No attempt follows."""
    line = Line(sendMessage=[NotSent("no route"), {"message_id": 1}])
    line.stop.during = lambda seconds: line.stop.set()
    with pytest.raises(NotSent):
        line.call()
    assert len(line.transport.calls) == 1


def test_a_call_may_bring_its_own_stop() -> None:
    """A runtime's stop ends its own poll, whatever the bot's event says."""
    line = Line(getMe=[NotSent("no route"), {"id": 1}])
    own = FakeStop(line.clock)
    own.set()
    with pytest.raises(NotSent):
        line.call("getMe", stop=own)
    assert line.call("getMe") == {"id": 1}


def test_an_error_of_telegrams_passes_as_it_is() -> None:
    """A refusal has the class of its code and no chain."""
    line = Line(sendMessage=refused(400, "Bad Request: chat not found"))
    with pytest.raises(BadRequest, match="chat not found") as caught:
        line.call()
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


def test_calls_of_many_threads_do_not_mix() -> None:
    """A client serves any number of threads; each gets the answer to its own call."""
    line = Line(getChat=lambda call: call.parameters["number"])
    results: dict[int, Any] = {}

    def call(number: int) -> None:
        results[number] = line.call("getChat", fields={"number": str(number)}, repeatable=True)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: str(number) for number in range(20)}
