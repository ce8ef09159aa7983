from __future__ import annotations

import socket
import sys

import pytest

from wavescribe.cli.lost_peers import IDLE_SECONDS, INTERVAL_SECONDS, PROBES, UNANSWERED_SECONDS, notice_lost_peers


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have other options")
def test_connections_that_are_accepted_notice_that_their_peer_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        notice_lost_peers(listener)
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
            assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert [accepted.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [
                *(IDLE_SECONDS, INTERVAL_SECONDS, PROBES),
                1000 * UNANSWERED_SECONDS,
            ]


def test_a_socket_that_is_no_tcp_is_left_as_it_is() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        notice_lost_peers(ours)
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
