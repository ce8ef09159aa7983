"""Live text on standard output: in a terminal with drafts, elsewhere as it settles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from wavescribe.client.events import Draft, Event, SessionRenewed, Settled, TurnEnded, TurnFailed


def lost_sound(seconds: float) -> str:
    """What is said of sound that nobody heard.

    Args:
        seconds: of it.
    """
    return f"{seconds:.0f} s were not heard: the server was away, and no more was kept"


class Captions(Protocol):
    """Shows a stream's events."""

    def take(self, event: Event) -> None:
        """Show the next event."""


@contextmanager
def captions() -> Iterator[Captions]:
    """Captions on standard output while the context is open; what is drafted at the end is taken away."""
    console = Console()
    if not console.is_interactive:
        plain = PlainCaptions(sys.stdout, sys.stderr)
        try:
            yield plain
        finally:
            plain.end()
        return
    with Live(console=console, auto_refresh=False, transient=True) as live:
        terminal = TerminalCaptions(live)
        try:
            yield terminal
        finally:
            terminal.end()


class PlainCaptions:
    """Settled text as it comes, a line for each turn.

    Args:
        output: where to.
        notes: where it is said what is missing there.
    """

    def __init__(self, output: TextIO, notes: TextIO) -> None:
        self._output = output
        self._notes = notes
        self._line_begun = False

    def take(self, event: Event) -> None:
        """Write what has settled."""
        match event:
            case Settled(delta=delta):
                self._output.write(delta if self._line_begun else delta.lstrip())
                self._output.flush()
                self._line_begun = True
            case TurnEnded() | TurnFailed():
                self.end()
            case SessionRenewed(lost_seconds=lost) if lost:
                self._notes.write(f"wavescribe: {lost_sound(lost)}\n")
            case _:
                pass

    def end(self) -> None:
        """End the line."""
        if self._line_begun:
            self._output.write("\n")
            self._output.flush()
        self._line_begun = False


class TerminalCaptions:
    """The turn that is spoken at the bottom, its draft dimmed; ended turns above, where the terminal scrolls them.

    Args:
        live: the part of the terminal that is drawn anew.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._settled = ""
        self._draft = ""

    def take(self, event: Event) -> None:
        """Draw what changed."""
        match event:
            case Settled(delta=delta):
                self._settled, self._draft = self._settled + delta, ""
            case Draft(text=text):
                self._draft = text
            case TurnEnded():
                self.end()
            case TurnFailed():
                self.end()
                self._note("this could not be transcribed")
            case SessionRenewed(lost_seconds=lost) if lost:
                self._note(lost_sound(lost))
            case _:
                return
        self._live.update(self._bottom(), refresh=True)

    def end(self) -> None:
        """Leave the settled text of the turn above; its draft goes."""
        if text := self._settled.strip():
            self._live.update(Text(), refresh=True)
            self._live.console.print(Text(text))
        self._settled = self._draft = ""

    def _note(self, text: str) -> None:
        self._live.console.print(Text(f"({text})", "dim"))

    def _bottom(self) -> Text:
        """The end of the turn, as much as the terminal has lines for."""
        text = Text.assemble(self._settled.lstrip(), (self._draft if self._settled else self._draft.lstrip(), "dim"))
        console = self._live.console
        lines = text.wrap(console, console.width)
        return Text("\n").join(lines[-max(1, console.height - 1) :])
