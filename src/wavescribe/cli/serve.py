"""`wavescribe serve`: run the server."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.origins import AllowedOrigins
from wavescribe.api.server import build_app
from wavescribe.cli.draining_server import DrainingServer
from wavescribe.engines.whisper import load_whisper
from wavescribe.settings import Settings, load_settings

MESSAGE_BYTES = 24 * 1024 * 1024
"""Largest WebSocket message: 15 MiB of audio as base64 with its envelope."""

CUT_SECONDS = 10
"""How long the last connections and requests may take to end when the server stops."""

START_FAILED = 3
"""Exit code when the port cannot be had, as uvicorn's own."""

Server = "Server"
Model = "Model"
Limits = "Limits"
Security = "Security"


def setting(name: str, panel: str, *flags: str) -> Any:
    """A flag that takes its help and its default from the setting of that name."""
    field = Settings.model_fields[name]
    text = field.description or ""
    default = "none" if field.default in (None, ()) else str(field.default)
    return typer.Option(*flags, help=f"{text[:1].upper()}{text[1:]}.", show_default=default, rich_help_panel=panel)


def serve_command(
    host: Annotated[str | None, setting("host", Server)] = None,
    port: Annotated[int | None, setting("port", Server)] = None,
    stream_format: Annotated[str | None, setting("stream_format", Server)] = None,
    compat: Annotated[str | None, setting("compat", Server)] = None,
    model: Annotated[str | None, setting("model", Model)] = None,
    device: Annotated[str | None, setting("device", Model)] = None,
    compute_type: Annotated[str | None, setting("compute_type", Model)] = None,
    workers: Annotated[int | None, setting("workers", Model)] = None,
    threads_per_worker: Annotated[int | None, setting("threads_per_worker", Model)] = None,
    step_seconds: Annotated[float | None, setting("step_seconds", Model)] = None,
    window_seconds: Annotated[float | None, setting("window_seconds", Model)] = None,
    strategy: Annotated[str | None, setting("strategy", Model)] = None,
    delay: Annotated[str | None, setting("delay", Model)] = None,
    max_sessions: Annotated[
        int | None, setting("max_sessions", Limits, "--max-sessions", "--asr-max-concurrent-sessions")
    ] = None,
    max_buffer_seconds: Annotated[
        float | None, setting("max_buffer_seconds", Limits, "--max-buffer-seconds", "--asr-max-buffer-seconds")
    ] = None,
    max_turn_seconds: Annotated[float | None, setting("max_turn_seconds", Limits)] = None,
    max_session_seconds: Annotated[float | None, setting("max_session_seconds", Limits)] = None,
    drain_seconds: Annotated[float | None, setting("drain_seconds", Limits)] = None,
    resume_seconds: Annotated[float | None, setting("resume_seconds", Limits)] = None,
    max_upload_bytes: Annotated[int | None, setting("max_upload_bytes", Limits)] = None,
    max_audio_seconds: Annotated[float | None, setting("max_audio_seconds", Limits)] = None,
    max_file_jobs: Annotated[int | None, setting("max_file_jobs", Limits)] = None,
    api_key: Annotated[list[str] | None, setting("api_key", Security)] = None,
    api_key_file: Annotated[Path | None, setting("api_key_file", Security)] = None,
    allowed_origin: Annotated[list[str] | None, setting("allowed_origin", Security)] = None,
    ssl_certfile: Annotated[Path | None, setting("ssl_certfile", Security)] = None,
    ssl_keyfile: Annotated[Path | None, setting("ssl_keyfile", Security)] = None,
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
        WavescribeError: a setting is wrong or the model cannot be loaded.
    """
    AllowedOrigins(settings.allowed_origin)  # wrong ones are told before the model is loaded
    keys = ApiKeys.load([key.get_secret_value() for key in settings.api_key], settings.api_key_file)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    engine = load_whisper(
        settings.model,
        device=settings.device,
        compute_type=settings.compute_type,
        workers=settings.workers,
        threads_per_worker=settings.threads_per_worker,
    )
    app = build_app(engine, settings, keys)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ws_max_size=MESSAGE_BYTES,
        # A ping time-out would kill healthy streams whose client is busy sending.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        log_config=None,
        # After the streams were finished, connections that do not end by themselves are cut.
        timeout_graceful_shutdown=CUT_SECONDS,
        ssl_certfile=settings.ssl_certfile,
        ssl_keyfile=settings.ssl_keyfile,
    )
    server = DrainingServer(config, app.state.drain, settings.drain_seconds)
    server.run()
    if not server.started:
        sys.exit(START_FAILED)
