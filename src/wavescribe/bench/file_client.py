"""A client of `/v1/audio/transcriptions` in a conversation: each utterance is uploaded as soon as it has been said.

That is how voice agents use servers that transcribe files only, so that their word lag and final latency compare with
those of streaming: a word waits for the end of its utterance, 0.2 s of silence, and the answer.
"""

from __future__ import annotations

import asyncio
import io
import time
import wave
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from openai import APIConnectionError, APIStatusError, AsyncOpenAI

from wavescribe.audio.pcm import encode_pcm16
from wavescribe.bench.gold_times import RATE
from wavescribe.bench.heard import PREFIX
from wavescribe.bench.realtime_client import FILE_PATH, OVERLOADED_STATUSES, StreamRecord, Target
from wavescribe.bench.stream_plan import StreamPlan
from wavescribe.engines.base import Samples

ANY_MODEL = "whisper-1"
"""The name that servers which have one model take for it."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An utterance and when it is sent.

    Attributes:
        due: seconds since the stream's first sample was spoken.
        seconds: of its audio.
        wav: its audio.
    """

    due: float
    seconds: float
    wav: bytes


class PacedUploads:
    """One stream of uploads: `open`, then `run`; its record is that of a realtime stream of as many turns.

    Args:
        target: the server.
        plan: what is said; each of its utterances is an upload, whoever ends turns.
    """

    def __init__(self, target: Target, plan: StreamPlan) -> None:
        parts = urlsplit(target.url)
        path = parts.path.rstrip("/").removesuffix(FILE_PATH)
        base = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
        self._client = AsyncOpenAI(base_url=base, api_key=target.api_key or "none", max_retries=0)
        self._target = target
        self._uploads = uploads(plan)
        self._began = 0.0
        self.record = StreamRecord()

    async def open(self) -> None:
        """Nothing: each upload is a request of its own."""

    async def run(self, began: float) -> None:
        """Upload every utterance at its time and wait for the answers.

        Args:
            began: when the first sample is spoken, by `time.monotonic`; not in the past.
        """
        self._began = began
        async with self._client:
            await asyncio.gather(*(self._send(index, upload) for index, upload in enumerate(self._uploads)))
        self.record.events.sort(key=lambda event: event[0])

    async def _send(self, index: int, upload: Upload) -> None:
        item_id = f"item_{index:04}"
        # Written down ahead, so that the turns have the order of what was said, whenever their answers come.
        self.record.events.append((upload.due, {"type": "input_audio_buffer.committed", "item_id": item_id}))
        await asyncio.sleep(self._began + upload.due - time.monotonic())
        self.record.slips.append(max(0.0, self._now() - upload.due))
        try:
            answer = await self._client.audio.transcriptions.create(
                model=self._target.model or ANY_MODEL,
                file=("speech.wav", upload.wav),
                language=self._target.language,
                response_format="json",
            )
        except APIStatusError as error:
            self._take_status(error)
        except APIConnectionError as error:
            self.record.failures.append(f"no answer: {error}")
        else:
            self.record.sent_seconds += upload.seconds
            # Some servers answer in plain text, which the client gives as it is.
            text = str(getattr(answer, "text", answer))
            event = {"type": f"{PREFIX}completed", "item_id": item_id, "transcript": text.strip()}
            self.record.events.append((self._now(), event))

    def _take_status(self, error: APIStatusError) -> None:
        """A server that is full refuses the whole stream: its text would have a hole."""
        told = f"HTTP {error.status_code}: {error.message}"
        if error.status_code in OVERLOADED_STATUSES:
            self.record.refused = self.record.refused or told
        else:
            self.record.failures.append(told)

    def _now(self) -> float:
        return time.monotonic() - self._began


def uploads(plan: StreamPlan) -> list[Upload]:
    """The audio between the ends of a plan's utterances; what follows the last one is silence and is not sent."""
    starts = (0, *plan.utterance_ends[:-1])
    return [
        Upload(end / RATE, (end - start) / RATE, _wav(plan.samples[start:end]))
        for start, end in zip(starts, plan.utterance_ends, strict=True)
    ]


def _wav(samples: Samples) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(encode_pcm16(samples))
    return file.getvalue()
