"""Whisper on CTranslate2: streaming windows and whole files on one model."""

from wavescribe.engines.whisper.engine import WhisperEngine, load_whisper

__all__ = ["WhisperEngine", "load_whisper"]
