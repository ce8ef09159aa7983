"""The turn that ends with its session: without speech nothing is said of it."""

from __future__ import annotations

from wavescribe.api.realtime.server_events import Frame
from wavescribe.streaming.events import Draft, Event, Settled, SpeechStarted, TurnCommitted, TurnEnded


class LastTurn:
    """Passes frames on; those of a turn that the session's end committed wait until speech is found in it."""

    def __init__(self) -> None:
        self.ends_with_session = False
        """Whether the session's end has committed a turn; it is the last one."""
        self._spoken = -1
        """The last turn in which speech was found."""
        self._waiting: list[Frame] = []

    def pass_on(self, event: Event, frames: list[Frame]) -> list[Frame]:
        """The frames to be sent after an event.

        Args:
            event: of the core.
            frames: those that it is rendered as.
        """
        if isinstance(event, SpeechStarted | Draft | Settled):
            self._spoken = event.turn
        if self._waiting and isinstance(event, TurnEnded):
            self._waiting += frames
            return []
        before = self._taken()
        if self.ends_with_session and isinstance(event, TurnCommitted) and event.turn != self._spoken:
            self._waiting = frames
            return before
        return [*before, *frames]

    def give_up(self, failures: list[Frame]) -> list[Frame]:
        """The frames when the session ends before its turns are through; a turn that fails has been spoken of."""
        return [*self._taken(), *failures]

    def _taken(self) -> list[Frame]:
        taken, self._waiting = self._waiting, []
        return taken
