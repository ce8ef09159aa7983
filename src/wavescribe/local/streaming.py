"""Audio to text while it is spoken, on an engine of this process or on a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from pathlib import Path

from wavescribe.client.events import Event
from wavescribe.client.session_options import SessionOptions
from wavescribe.client.transcription_client import TranscriptionClient
from wavescribe.engines.base import Samples
from wavescribe.languages import language_code
from wavescribe.local.blocks import AudioBlocks, as_samples, file_blocks
from wavescribe.local.engines import local_engine, local_settings
from wavescribe.local.live import stream_locally
from wavescribe.serving.live_service import StreamOptions
from wavescribe.settings import load_settings
from wavescribe.streaming.delay import Delay
from wavescribe.vad.endpointer import TurnDetection


async def stream(
    audio: AudioBlocks | str | Path,
    *,
    sample_rate: int = 16_000,
    url: str | None = None,
    api_key: str | None = None,
    model: str | None = None,
    language: str | None = None,
    prompt: str = "",
    keywords: tuple[str, ...] = (),
    delay: Delay | None = None,
    silence_ms: int | None = 500,
) -> AsyncGenerator[Event]:
    """Transcribe audio while it comes, in this process or, with `url`, on a server.

        async for event in wavescribe.stream(microphone()):
            match event:
                case wavescribe.Settled(delta=delta):
                    print(delta, end="", flush=True)
                case wavescribe.TurnEnded():
                    print()

    Args:
        audio: an iterable or asynchronous iterable of blocks of mono audio (16-bit PCM as bytes, or arrays of shape
            (samples,), int16 or floats in [-1, 1]) of any length, or the path of a file, of 4 hours at most
            (WAVESCRIBE_MAX_AUDIO_SECONDS). An ordinary iterable is asked for its blocks in a thread. It may be
            faster than speech, and is then waited with.
        sample_rate: samples per second of the blocks; of no account for a file.
        url: a server such as "http://localhost:8000", or None to load the model in this process.
        api_key: the key that the server wants, or None.
        model: model name; the server's, or in this process that of WAVESCRIBE_MODEL or whisper-base, when None.
        language: ISO 639-1 code or English name, or None to have it detected.
        prompt: text in the style wanted, or that came before.
        keywords: words that are likely to occur.
        delay: how long text is held back before it settles: "minimal", "low", "medium", "high" or "xhigh".
        silence_ms: silence that ends a turn, in milliseconds; None makes one turn of all.

    Yields:
        SpeechStarted, SpeechStopped, Settled, Draft, TurnEnded and TurnFailed, and SessionRenewed where the server's
        session was over and a new one goes on; their times are seconds since the first sample.

    Raises:
        InvalidRequestError: the audio or the language is not right.
        ConfigurationError: the url or a setting is not right.
        WeightsError: the local model's files are missing or damaged.
        ServerUnreachableError: the server cannot be reached, or was lost or full for longer than half a minute.
        OverloadedError: the server is full.
        ServerError: the server refused or ended the session (AuthenticationError: because of the key).
    """
    if isinstance(audio, str | Path):
        sample_rate = 16_000
        audio = file_blocks(Path(audio), sample_rate, load_settings().max_audio_seconds)
    blocks = as_samples(audio)
    if url is not None:
        options = SessionOptions(model, language, prompt, tuple(keywords), delay, sample_rate, silence_ms)
        events = _stream_remotely(blocks, TranscriptionClient(url, options, api_key=api_key))
    else:
        settings = local_settings(model, delay=delay)
        turns = None if silence_ms is None else TurnDetection.server_vad(silence_duration_ms=silence_ms)
        wanted = StreamOptions(
            language=language_code(language) if language else None,
            prompt=prompt,
            keywords=tuple(keywords),
            turn_detection=turns,
        )
        engine = await asyncio.to_thread(local_engine, settings)
        events = stream_locally(blocks, sample_rate, engine, settings, wanted)
    async with aclosing(events):
        async for event in events:
            yield event


async def _stream_remotely(blocks: AsyncIterator[Samples], client: TranscriptionClient) -> AsyncGenerator[Event]:
    async with client:
        sending = asyncio.create_task(_send(blocks, client))
        try:
            async for event in client:
                yield event
            await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def _send(blocks: AsyncIterator[Samples], client: TranscriptionClient) -> None:
    try:
        async for block in blocks:
            await client.send(block)
    finally:
        client.finish()
