from __future__ import annotations

from io import StringIO

from rich.console import Console
from rich.live import Live

from wavescribe.cli.captions import PlainCaptions, TerminalCaptions
from wavescribe.client.events import SessionRenewed, Settled, TurnEnded

STREAM = (
    Settled(0, " It was", ()),
    TurnEnded(0, " It was", "en", 0.0, 1.0),
    SessionRenewed(1.0, 0.0),
    Settled(1, " the best", ()),
    TurnEnded(1, " the best", "en", 1.0, 2.0),
    SessionRenewed(14.0, 12.0),
)
LOST = "12 s were not heard: the server was away, and no more was kept"


def test_a_renewed_session_is_seen_only_where_sound_was_lost_and_in_a_pipe_that_is_no_text() -> None:
    output, notes = StringIO(), StringIO()
    captions = PlainCaptions(output, notes)
    for event in STREAM:
        captions.take(event)
    assert output.getvalue() == "It was\nthe best\n"
    assert notes.getvalue() == f"wavescribe: {LOST}\n"


def test_a_terminal_shows_lost_sound_between_the_turns() -> None:
    output = StringIO()
    console = Console(file=output, force_terminal=True, width=100, color_system=None)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        captions = TerminalCaptions(live)
        for event in STREAM:
            captions.take(event)
    assert output.getvalue().count("were not heard") == 1
    assert f"({LOST})" in output.getvalue()
