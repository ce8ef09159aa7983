"""Connections whose other end is gone without a word: a laptop that was closed, a network that changed."""

from __future__ import annotations

import socket

IDLE_SECONDS, INTERVAL_SECONDS, PROBES = 60, 15, 4
"""A peer that has sent nothing for so long is asked whether it is there, so often, before it is taken for gone."""

UNANSWERED_SECONDS = 120
"""Bytes that a peer does not take for so long end its connection."""

OPTIONS = {
    "TCP_KEEPIDLE": IDLE_SECONDS,
    "TCP_KEEPINTVL": INTERVAL_SECONDS,
    "TCP_KEEPCNT": PROBES,
    "TCP_USER_TIMEOUT": 1000 * UNANSWERED_SECONDS,
}
"""Options of TCP, by their names in `socket`; what a system does not have it has a default for."""


def notice_lost_peers(listener: socket.socket) -> None:
    """Have the system end connections whose peer is gone: their sessions would stay open, and their places taken.

    Args:
        listener: a listening socket; the connections that it accepts inherit the options.
    """
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return
    for name, value in OPTIONS.items():
        if (option := getattr(socket, name, None)) is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
