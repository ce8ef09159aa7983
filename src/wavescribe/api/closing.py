"""Sending to and closing a WebSocket whose client may have gone, or may read nothing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

CLOSE_SECONDS = 2.0
"""How long a close may take; a client that reads nothing would keep it, and what it holds, for ever."""

SEND_SECONDS = 60.0
"""How long a client may take nothing of what it is sent; megabytes of buffers are between it and the server."""

LONGEST_REASON = 120
"""Bytes of a close frame's reason, of the 123 that the protocol allows."""


async def send_in_time(socket: WebSocket, text: str, seconds: float = SEND_SECONDS) -> bool:
    """Send a text frame; False when the client has not taken it in time.

    Args:
        socket: the connection.
        text: the frame.
        seconds: how long the client may take nothing.

    Raises:
        WebSocketDisconnect: the connection is lost.
    """
    try:
        async with asyncio.timeout(seconds):
            await socket.send_text(text)
    except TimeoutError:
        return False
    return True


async def close_socket(socket: WebSocket, code: int, reason: str = "") -> None:
    """Close a connection; one that is closed already, or cannot be told, is left as it is.

    Args:
        socket: the connection.
        code: the WebSocket close code.
        reason: its text; cut where it is too long.
    """
    if socket.application_state is not WebSocketState.CONNECTED:
        return
    short = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
    with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(code, short)
