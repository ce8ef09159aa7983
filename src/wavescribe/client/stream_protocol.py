"""A client's side of a live stream as a state machine: one session after another, as many as it takes.

A server ends a session when its time is over, and forgets it when it restarts. The stream then goes on in a new one,
which hears again what no text covers; who reads the events reads one stream.
"""

from __future__ import annotations

from collections.abc import Sequence

from wavescribe.client.continuity import Continuity
from wavescribe.client.events import Event, SessionRenewed, TurnEvent
from wavescribe.client.kept_audio import KeptAudio
from wavescribe.client.protocol import ClientProtocol
from wavescribe.client.refusals import EXPIRED, is_passing
from wavescribe.client.seam import Seam
from wavescribe.client.session_options import SessionOptions
from wavescribe.errors import ServerError, WavescribeError


class StreamProtocol:
    """One stream.

    Args:
        options: how it is transcribed.
        buffer_seconds: most audio that is kept because the server is not known to have it.
        keep_seconds: most audio that is kept because no text covers it, for a session that begins anew; at least as
            much as `buffer_seconds`.
    """

    def __init__(self, options: SessionOptions, buffer_seconds: float, keep_seconds: float) -> None:
        self._options = options
        self._rate = options.sample_rate
        self._buffer_seconds = buffer_seconds
        self._kept = KeptAudio(round(max(keep_seconds, buffer_seconds) * options.sample_rate))
        self._seam = Seam(0.0)
        self._continuity = Continuity()
        self._session = ClientProtocol(options, buffer_seconds)
        self._origin = 0
        """Samples of the stream before the session's first."""
        self._begins_at = 0
        """Samples of the stream before what the session is asked for: its lead-in is left out."""
        self._lost = 0
        """Samples that no session hears, not told of yet."""
        self._was_open = False
        self._is_told = False
        """Whether the beginning of the session that is open was told."""
        self._finishing = False
        self._has_news = False
        """Whether anything came since the session began."""
        self._dormant = False

    @property
    def query(self) -> str:
        """The query of the next connection's URL."""
        return self._session.query

    @property
    def is_open(self) -> bool:
        """Whether a server has accepted a session of the stream and its configuration."""
        return self._was_open

    @property
    def session_is_open(self) -> bool:
        """Whether a server has accepted the session of now."""
        return self._is_told

    @property
    def is_full(self) -> bool:
        """Whether audio has to wait, because the server is not known to have what is kept."""
        return self._session.is_full

    @property
    def is_finished(self) -> bool:
        """Whether no more is sent and everything that was sent is transcribed."""
        return self._session.is_finished

    @property
    def kept_seconds(self) -> float:
        """Seconds of audio that are kept because no text covers them, and of the words before them."""
        return (self._kept.end - self._kept.start) / self._rate

    @property
    def is_dormant(self) -> bool:
        """Whether no connection is wanted yet: a session to which nothing new was sent expired, and nothing came since.

        A server that ends idle sessions would have to end the next one, too.
        """
        return self._dormant and not self.is_full

    def feed(self, pcm: bytes) -> None:
        """Send audio: 16-bit PCM at the stream's rate."""
        self._wake()
        self._kept.append(pcm)
        self._session.feed(pcm)

    def commit(self) -> None:
        """End the turn at the audio fed so far; less than 100 ms since the last turn ends none."""
        self._wake()
        self._kept.commit()
        self._session.commit()

    def finish(self) -> None:
        """End the last turn; no more audio is fed."""
        self._wake()
        self._finishing = True
        self._session.finish()

    def next_frame(self) -> str | None:
        """The next frame to send, or None when there is nothing to send now."""
        return self._session.next_frame()

    def receive(self, frame: str | bytes) -> list[Event]:
        """Take a frame of the server; returns its events.

        Raises:
            WavescribeError: the server refuses; `refused` says whether the stream survives that.
        """
        event = self._session.receive(frame)
        events = self._beginning()
        if event is not None:
            events += self._told([event])
            self._cover()
        return events

    def _told(self, events: Sequence[TurnEvent]) -> list[Event]:
        """The stream's events for those of the session."""
        return [self._continuity.take(told) for event in events for told in self._seam.take(event)]

    def disconnected(self, code: int | None, reason: str) -> list[Event]:
        """The connection is gone; returns what there is to tell when the stream can go on over another one.

        Args:
            code: of the server's close frame, or None when there was none.
            reason: its text.

        Raises:
            WavescribeError: the server ended the session, and would end another one too.
        """
        try:
            self._session.disconnected(code, reason)
        except ServerError as error:
            return self.refused(error)
        return []

    def refused(self, error: WavescribeError) -> list[Event]:
        """The server refused the session or ended it; returns what there is to tell when the stream can go on.

        Raises:
            WavescribeError: the error, where no session was open before or another one would be refused, too.
        """
        if not self._was_open or not is_passing(error):
            raise error
        expired = isinstance(error, ServerError) and error.code == EXPIRED
        self._dormant = expired and not self._has_news and not self._finishing
        return self._renew()

    def _wake(self) -> None:
        self._has_news, self._dormant = True, False

    def _beginning(self) -> list[Event]:
        """The news of a new session, once it is open; the first one is none."""
        if self._is_told or not self._session.is_open:
            return []
        news: list[Event] = [SessionRenewed(self._begins_at / self._rate, self._lost / self._rate)]
        is_first, self._was_open, self._is_told, self._lost = not self._was_open, True, True, 0
        return [] if is_first else news

    def _renew(self) -> list[Event]:
        """Leave the session for a new one, which hears what is kept."""
        self._cover()
        events = self._told(self._session.close_turns())
        self._lost += self._kept.lost
        self._origin = self._kept.start
        self._begins_at = max(self._origin, self._kept.covered)
        self._seam = Seam((self._begins_at - self._origin) / self._rate)
        self._continuity.begin(self._origin / self._rate)
        self._session = self._fed_session()
        self._is_told = self._has_news = False
        return events

    def _fed_session(self) -> ClientProtocol:
        session = ClientProtocol(self._options, self._buffer_seconds)
        for entry in self._kept:
            if entry.kind == "append":
                session.feed(entry.pcm)
            else:
                session.commit()
        if self._finishing:
            session.finish()
        return session

    def _cover(self) -> None:
        position, lead_in = self._session.covered, self._session.lead_in
        self._kept.cover(self._origin + round(position * self._rate), self._origin + round(lead_in * self._rate))
