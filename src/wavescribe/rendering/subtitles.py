"""SRT and WebVTT."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from wavescribe.engines.base import Segment


@dataclass(frozen=True, slots=True)
class Cue:
    """A subtitle: start and end in whole milliseconds."""

    start: int
    end: int
    text: str


def cues(segments: Iterable[Segment], duration: float) -> list[Cue]:
    """Cues in order that never overlap and lie within the audio.

    Args:
        segments: in order.
        duration: seconds of audio.
    """
    made: list[Cue] = []
    last = round(duration * 1000)
    for segment in segments:
        text = " ".join(segment.text.split())  # an empty line would end the cue
        start = max(round(segment.start * 1000), made[-1].end if made else 0)
        end = min(round(segment.end * 1000), last)
        if text and end > start:
            made.append(Cue(start, end, text))
        elif text and made:
            made[-1] = Cue(made[-1].start, made[-1].end, f"{made[-1].text} {text}")
        elif text and last > 0:
            made.append(Cue(0, last, text))
    return made


def timestamp(milliseconds: int, decimal_mark: str) -> str:
    """HH:MM:SS, the decimal mark, and three digits."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{decimal_mark}{rest:03}"


def srt(made: Iterable[Cue], first: int = 1) -> str:
    """SubRip: numbered from `first`, comma before the milliseconds; "-->" cannot stand in a cue's text."""
    return "".join(
        f"{number}\n{timestamp(cue.start, ',')} --> {timestamp(cue.end, ',')}\n{cue.text.replace('-->', '->')}\n\n"
        for number, cue in enumerate(made, first)
    )


VTT_HEADER = "WEBVTT\n\n"


def vtt(made: Iterable[Cue]) -> str:
    """WebVTT: full stop before the milliseconds; the text is escaped, for it could be taken for markup."""
    return VTT_HEADER + vtt_cues(made)


def vtt_cues(made: Iterable[Cue]) -> str:
    """The cues of a WebVTT file, without its header."""
    return "".join(
        f"{timestamp(cue.start, '.')} --> {timestamp(cue.end, '.')}\n{escape(cue.text, quote=False)}\n\n"
        for cue in made
    )
