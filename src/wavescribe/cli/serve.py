"""`wavescribe serve`: run the server."""

from __future__ import annotations

import logging
from typing import Annotated

import typer
import uvicorn

from wavescribe.api.server import build_app
from wavescribe.engines.whisper import load_whisper
from wavescribe.settings import Settings, load_settings

MESSAGE_BYTES = 24 * 1024 * 1024
"""Largest WebSocket message: 15 MiB of audio as base64 with its envelope."""

Server = "Server"
Model = "Model"
Limits = "Limits"


def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on.", rich_help_panel=Server)] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0 picks a free one.", rich_help_panel=Server)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model name, directory or Hugging Face id.", rich_help_panel=Model)
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", rich_help_panel=Model)] = None,
    compute_type: Annotated[
        str | None, typer.Option(help="Arithmetic: int8, float16, float32, ...", rich_help_panel=Model)
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Decodes at the same time.", rich_help_panel=Model)] = None,
    threads_per_worker: Annotated[
        int | None, typer.Option(help="CPU threads of each decode.", rich_help_panel=Model)
    ] = None,
    step_seconds: Annotated[
        float | None, typer.Option(help="Audio between two decodes of a live stream.", rich_help_panel=Model)
    ] = None,
    window_seconds: Annotated[
        float | None, typer.Option(help="Longest audio of one decode of a live stream.", rich_help_panel=Model)
    ] = None,
    max_sessions: Annotated[
        int | None,
        typer.Option(
            "--max-sessions", "--asr-max-concurrent-sessions", help="Live streams at once.", rich_help_panel=Limits
        ),
    ] = None,
    max_buffer_seconds: Annotated[
        float | None,
        typer.Option(
            "--max-buffer-seconds",
            "--asr-max-buffer-seconds",
            help="Audio of a live stream received and not yet decoded.",
            rich_help_panel=Limits,
        ),
    ] = None,
    max_upload_bytes: Annotated[int | None, typer.Option(help="Largest uploaded file.", rich_help_panel=Limits)] = None,
    max_audio_seconds: Annotated[
        float | None, typer.Option(help="Longest decoded audio of a file.", rich_help_panel=Limits)
    ] = None,
    max_file_jobs: Annotated[
        int | None, typer.Option(help="Files transcribed or waiting at once.", rich_help_panel=Limits)
    ] = None,
) -> None:
    """Run the server: HTTP and WebSocket on one port.

    Every option can also be given by environment, as WAVESCRIBE_<NAME>: WAVESCRIBE_MAX_SESSIONS=8.

    Example: wavescribe serve --model whisper-base --port 8000
    """
    flags = {name: value for name, value in locals().items() if value is not None}
    run_server(load_settings(**flags))


def run_server(settings: Settings) -> None:
    """Load the model and serve until interrupted.

    Raises:
        WavescribeError: the model cannot be loaded.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    engine = load_whisper(
        settings.model,
        device=settings.device,
        compute_type=settings.compute_type,
        workers=settings.workers,
        threads_per_worker=settings.threads_per_worker,
    )
    uvicorn.run(
        build_app(engine, settings),
        host=settings.host,
        port=settings.port,
        ws_max_size=MESSAGE_BYTES,
        # A ping time-out would kill healthy streams whose client is busy sending.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        log_config=None,
    )
