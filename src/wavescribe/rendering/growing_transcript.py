"""The text of a live stream as a file's content, which grows as text settles."""

from __future__ import annotations

from typing import Literal

from wavescribe.client.events import Event, Settled, TurnEnded, TurnFailed
from wavescribe.engines.base import Word
from wavescribe.rendering.subtitle_layout import DEFAULT_STYLE, MIN_GAP, SubtitleStyle, lay_out
from wavescribe.rendering.subtitles import VTT_HEADER, Cue, srt, vtt_cues

TranscriptFormat = Literal["txt", "srt", "vtt"]


class GrowingTranscript:
    """Takes a stream's events; `content` is whole at any time.

    Turns that have ended are rendered once; only the open one is laid out again, so a long stream costs no more.

    Args:
        form: of the file.
        style: of subtitles.
    """

    def __init__(self, form: TranscriptFormat, style: SubtitleStyle = DEFAULT_STYLE) -> None:
        self._form = form
        self._style = style
        self._closed = VTT_HEADER if form == "vtt" else ""
        self._closed_cues = 0
        self._earliest = 0.0
        self._words: list[Word] = []
        self._text = ""

    @property
    def content(self) -> str:
        """The file's content: all text that has settled."""
        return self._closed + self._open(self._words[-1].end if self._words else self._earliest)[0]

    def take(self, event: Event) -> bool:
        """Take the next event; True when the content may have changed."""
        match event:
            case Settled(delta=delta, words=words):
                self._text += delta
                self._words += words
            case TurnEnded(end=end):
                return self._close(end)
            case TurnFailed():
                return self._close(self._words[-1].end if self._words else self._earliest)
            case _:
                return False
        return True

    def _close(self, end: float) -> bool:
        """The turn is over, its last subtitle may stand up to the end of its audio; True when the turn has text."""
        said = bool(self._text)
        content, cues = self._open(end)
        self._closed += content
        self._closed_cues += len(cues)
        if cues:
            self._earliest = (cues[-1].end + MIN_GAP) / 1000
        self._words, self._text = [], ""
        return said

    def _open(self, latest: float) -> tuple[str, list[Cue]]:
        """The open turn's content and its subtitles."""
        if self._form == "txt":
            text = self._text.strip()
            return (f"{text}\n" if text else ""), []
        cues = lay_out(self._words, earliest=self._earliest, latest=latest, style=self._style)
        return (srt(cues, self._closed_cues + 1) if self._form == "srt" else vtt_cues(cues)), cues
