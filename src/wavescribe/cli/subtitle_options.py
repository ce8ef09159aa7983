"""The options of subtitles, which several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from wavescribe.rendering.subtitle_layout import DEFAULT_STYLE

PANEL = "Subtitles"

LINE_LENGTH = DEFAULT_STYLE.max_line_length
LINES = DEFAULT_STYLE.max_lines
SPEED = DEFAULT_STYLE.reading_speed

LineLength = Annotated[
    int, typer.Option(help="Columns of a line; a Chinese character takes two.", min=8, rich_help_panel=PANEL)
]
Lines = Annotated[int, typer.Option(help="Lines of a subtitle.", min=1, max=4, rich_help_panel=PANEL)]
Speed = Annotated[
    float,
    typer.Option(help="Characters a second that readers are given time for.", min=5, rich_help_panel=PANEL),
]
