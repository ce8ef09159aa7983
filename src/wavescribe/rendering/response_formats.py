"""A transcript in the response formats of the OpenAI API."""

from __future__ import annotations

import json
import math
from typing import Any

from wavescribe.engines.base import Segment
from wavescribe.languages import language_name
from wavescribe.rendering.subtitles import cues, srt, vtt
from wavescribe.serving.file_result import FileResult

JSON_TYPE = "application/json"
TEXT_TYPE = "text/plain; charset=utf-8"


def render(result: FileResult, response_format: str, granularities: tuple[str, ...] = ("segment",)) -> tuple[str, str]:
    """The body and its content type.

    Args:
        result: the transcript.
        response_format: json, text, verbose_json, srt or vtt.
        granularities: of verbose_json: "segment", "word" or both.
    """
    match response_format:
        case "text":
            return result.text + "\n", TEXT_TYPE
        case "srt":
            return srt(cues(result.segments, result.duration)), TEXT_TYPE
        case "vtt":
            return vtt(cues(result.segments, result.duration)), TEXT_TYPE
        case "verbose_json":
            return _dump(verbose(result, granularities)), JSON_TYPE
        case _:
            languages = [{"code": result.language}]
            return _dump({"text": result.text, "languages": languages, "usage": usage(result.duration)}), JSON_TYPE


def usage(duration: float) -> dict[str, Any]:
    """Usage by duration: whole seconds, rounded up."""
    return {"type": "duration", "seconds": math.ceil(duration)}


def verbose(result: FileResult, granularities: tuple[str, ...]) -> dict[str, Any]:
    """The verbose_json object."""
    body: dict[str, Any] = {
        "task": result.task,
        "language": "english" if result.task == "translate" else language_name(result.language),
        "duration": round(result.duration, 3),
        "text": result.text,
    }
    if "word" in granularities:
        body["words"] = [
            {"word": word.text.strip(), "start": round(word.start, 3), "end": round(word.end, 3)}
            for word in result.words
        ]
    if "segment" in granularities:
        body["segments"] = [_segment(segment) for segment in result.segments]
    return body | {"usage": usage(result.duration)}


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.id,
        "seek": segment.seek,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "tokens": list(segment.tokens),
        "temperature": segment.temperature,
        "avg_logprob": segment.average_logprob,
        "compression_ratio": segment.compression_ratio,
        "no_speech_prob": segment.no_speech_probability,
    }


def _dump(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)
