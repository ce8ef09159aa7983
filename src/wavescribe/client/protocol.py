"""A client's side of a realtime session as a state machine: no sockets, no clock, no waiting.

Frames come in and events go out; audio comes in and frames go out. The session may go over several connections:
`query` says how each is opened, and after the server's greeting everything is sent again that it does not have.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn
from urllib.parse import urlencode

from wavescribe.client.events import TurnEnded, TurnEvent
from wavescribe.client.outgoing import ACKNOWLEDGEMENT, COMMAND, Outgoing
from wavescribe.client.refusals import DRAINING, EXPIRED, error_of
from wavescribe.client.session_options import SessionOptions
from wavescribe.client.turns import Turns
from wavescribe.errors import ServerError, SessionLostError

CONFIGURATION = "configuration"
"""Event id of the session's configuration."""

CHUNK_SECONDS = 0.5
"""Audio of one event at most, so that what is sent again can be cut finely."""

ACKNOWLEDGEMENTS = 12
"""Questions about what was received in one buffer of audio."""

CLOSE_FOLLOWS = (EXPIRED, "input_audio_buffer_overflow", "internal_error", DRAINING)
"""Codes of errors after which the server finishes what it can and closes; until then events come."""

GOING_AWAY, RESTARTING = 1001, 1012

ONSET_SECONDS = 1.0
"""Speech is told of this much after the beginning of its turn's audio at most, in seconds of audio."""


class ClientProtocol:
    """One session.

    Args:
        options: how it is transcribed.
        buffer_seconds: most audio that is kept because the server is not known to have it.
    """

    def __init__(self, options: SessionOptions, buffer_seconds: float) -> None:
        self._options = options
        self._bytes_per_chunk = 2 * round(CHUNK_SECONDS * options.sample_rate)
        self._most_samples = buffer_seconds * options.sample_rate
        self._outgoing = Outgoing(options.sample_rate, buffer_seconds / ACKNOWLEDGEMENTS)
        self._turns = Turns()
        self._session_id = ""
        self._last_event_id = ""
        self._greeted = False
        self._configured = False
        self._configuration_sent = False
        self._finishing = False
        self._fenced = False
        """Whether the server has worked off everything up to the last command."""
        self._error: ServerError | None = None

    @property
    def query(self) -> str:
        """The query of the next connection's URL."""
        if not self._session_id:
            model = {"model": self._options.model} if self._options.model else {}
            return urlencode({"intent": "transcription", "resume": "1", **model})
        after = {"after": self._last_event_id} if self._last_event_id else {}
        return urlencode({"session_id": self._session_id, **after})

    @property
    def is_open(self) -> bool:
        """Whether the server has accepted the session and its configuration."""
        return self._configured

    @property
    def is_full(self) -> bool:
        """Whether audio has to wait, because the server is not known to have what is kept."""
        return self._outgoing.held_samples >= self._most_samples

    @property
    def is_finished(self) -> bool:
        """Whether no more is sent and everything that was sent is transcribed."""
        return self._fenced and self._turns.are_through

    @property
    def covered(self) -> float:
        """Seconds since the session's start up to which all text has come."""
        return self._turns.covered

    @property
    def lead_in(self) -> float:
        """Seconds since the session's start where a session that goes on there has to begin: some words earlier."""
        return self._turns.lead_in

    def close_turns(self) -> list[TurnEnded]:
        """The ends of the open turns, with what has settled of them: the session is gone."""
        return self._turns.close()

    def feed(self, pcm: bytes) -> None:
        """Send audio: 16-bit PCM at the session's rate."""
        for first in range(0, len(pcm), self._bytes_per_chunk):
            self._outgoing.append(pcm[first : first + self._bytes_per_chunk])

    def commit(self) -> None:
        """End the turn at the audio fed so far; less than 100 ms since the last turn ends none."""
        self._outgoing.command("commit")

    def finish(self) -> None:
        """End the last turn; no more audio is fed."""
        if not self._finishing:
            self._finishing = True
            self._outgoing.command("commit")
            # The server answers a clear once it has come to it, and then all turns are known.
            self._outgoing.command("clear")

    def next_frame(self) -> str | None:
        """The next frame to send, or None when there is nothing to send now."""
        if not self._greeted:
            return None
        if not self._configuration_sent:
            self._configuration_sent = True
            return json.dumps({"type": "session.update", "event_id": CONFIGURATION, "session": self._options.session()})
        return self._outgoing.take() if self._configured else None

    def disconnected(self, code: int | None, reason: str) -> None:
        """The connection is gone; returns when the session can go on over another one.

        Args:
            code: of the server's close frame, or None when there was none.
            reason: its text.

        Raises:
            ServerError: the server ended the session; what it said before says why.
        """
        self._greeted = False
        if self._error is not None:
            self._end(self._error, code)
        if code == RESTARTING:
            raise SessionLostError("the server is stopping; open a new session", code=DRAINING)
        if code is not None:
            raise ServerError(f"the server closed the session with code {code}{f': {reason}' if reason else ''}")

    def _end(self, error: ServerError, code: int | None) -> NoReturn:
        """The server ended the session; where that was in good order, it has heard everything that it has."""
        if error.code == EXPIRED and code == GOING_AWAY and self._options.silence_ms is not None:
            self._turns.hear(self._outgoing.acknowledged / self._options.sample_rate - ONSET_SECONDS)
        raise error

    def receive(self, frame: str | bytes) -> TurnEvent | None:
        """Take a frame of the server; returns its event, if it tells one.

        Raises:
            ServerError: the server refuses the session or the configuration.
            OverloadedError: the server is full.
            ModelNotFoundError: the server has no such model.
        """
        message: dict[str, Any] = json.loads(frame)
        kind = message["type"]
        match kind:
            case "session.created":
                self._session_id = message["session"]["id"]
                self._greeted = True
            case "session.resumed":
                self._resume(message["audio_received_ms"])
                return None  # it stands before what was missed, and is no place to go on from
            case "session.updated":
                self._configured = True
            case "input_audio_buffer.cleared":
                self._fenced = self._finishing
            case "error":
                self._take_error(message["error"])
        self._last_event_id = message.get("event_id", self._last_event_id)
        return self._turns.take(message)

    def _resume(self, received_ms: float) -> None:
        self._greeted = True
        # The session may be there without its configuration: sent again, it is the same.
        self._configuration_sent = self._configured
        self._outgoing.resume(round(received_ms * self._options.sample_rate / 1000))

    def _take_error(self, error: dict[str, Any]) -> None:
        event_id, code = error.get("event_id") or "", error.get("code")
        if event_id.startswith(ACKNOWLEDGEMENT):
            self._outgoing.acknowledge(event_id)
        elif event_id.startswith(COMMAND) and code == "input_audio_buffer_commit_empty":
            pass  # nothing was said since the last turn, or the commit had arrived over an earlier connection
        elif code in CLOSE_FOLLOWS:
            self._error = ServerError(str(error.get("message")), code=code)
        else:
            raise error_of(error)
