"""The part of an attempt's time that getting the connection may take."""

from __future__ import annotations

from pathlib import Path

from kits.timing_kit import tried
from kits.transport_kit import OK, Line, Peer, answering, send

from syncbot.errors import NotSent, Phase
from syncbot.testing import Fault, FaultProxy, TestCA
from syncbot.transport import OneShotTransport
from syncbot.types import Proxy, Request


def test_a_connection_that_does_not_stand_in_its_part_of_the_time_is_given_up_as_not_sent(ca: TestCA) -> None:
    """A handshake that stalls ends after `connect_timeout`, although the attempt as a whole has far more time."""
    with FaultProxy(faults=[Fault.tls_stall()], rate=1.0, seed=1) as proxy, Peer(answering(), tls=ca.server_context()) as peer:
        transport = OneShotTransport([Proxy.parse(proxy.url)], ca_file=Path(ca.ca_file))
        outcome = send(transport, Request(peer.url, timeout=60.0, connect_timeout=0.3))
        transport.close()
    assert isinstance(outcome.failure, NotSent)
    assert 0.25 < outcome.seconds < 30.0


def test_the_rest_of_the_time_is_for_the_answer() -> None:
    """Once the connection stands, the answer has all of `timeout`, less nothing that `connect_timeout` would take away."""

    def attempt(seconds: float) -> None:
        def serve(line: Line) -> None:
            line.request()
            line.over.wait(3 * seconds)
            line.sock.sendall(OK)

        with Peer(serve) as peer:
            transport = OneShotTransport()
            outcome = send(transport, Request(peer.url, timeout=30.0, connect_timeout=seconds))
            transport.close()
        assert outcome.answer is not None
        assert outcome.answer.status == 200

    tried(attempt, (0.2, 0.2, 4.0))


def test_a_connect_timeout_beyond_the_timeout_changes_nothing() -> None:
    """`timeout` bounds the attempt as before, and its answer that does not come may have been carried out."""

    def attempt(timeout: float) -> None:
        with Peer(lambda line: line.hold()) as peer:
            transport = OneShotTransport()
            outcome = send(transport, Request(peer.url, timeout=timeout, connect_timeout=60.0))
            transport.close()
        assert outcome.failure.phase is Phase.MAYBE_SENT
        assert timeout - 0.05 < outcome.seconds < timeout + 3.0

    tried(attempt)
