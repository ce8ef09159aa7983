"""Figures that pages tell are the code's."""

from __future__ import annotations

from doc_blocks import ROOT

from wavescribe.vad.endpointer import SEMANTIC_SILENCE, TurnDetection


def test_the_page_for_voice_agents_tells_how_long_semantic_vad_waits() -> None:
    text = " ".join((ROOT / "docs" / "voice-agents.md").read_text().split())
    _, _, told = text.partition("`semantic_vad` waits less")
    for eagerness in SEMANTIC_SILENCE:
        wait = TurnDetection.semantic_vad(eagerness)
        before, _, _ = told.partition(f"`{eagerness}`")
        seconds = f"{wait.silence_seconds:g} s and {wait.unfinished_silence_seconds:g} s"
        assert before.rpartition(", ")[2].removeprefix("by its `eagerness`: ").startswith(seconds), eagerness
