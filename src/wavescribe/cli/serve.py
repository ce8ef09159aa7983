"""`wavescribe serve`: run the server."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn

from wavescribe.api.authentication.keys import ApiKeys
from wavescribe.api.authentication.origins import AllowedOrigins
from wavescribe.api.server import build_app
from wavescribe.cli.draining_server import DrainingServer
from wavescribe.cli.ending import ending_after_sigterm
from wavescribe.cli.printed_settings import as_toml
from wavescribe.engines.base import Engine
from wavescribe.engines.isolation import IsolatedEngine
from wavescribe.serving.allocator import keep_memory_at_hand, keep_memory_compact
from wavescribe.serving.configured_engine import engine_loader, with_useful_workers
from wavescribe.serving.logs import configure_logging
from wavescribe.settings import Settings, load_settings

CUT_SECONDS = 10
"""How long the last connections and requests may take to end when the server stops."""

START_FAILED = 3
"""Exit code when the port cannot be had, as uvicorn's own."""

Server = "Server"
Model = "Model"
Limits = "Limits"
Security = "Security"
Log = "Log"


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
    aligner: Annotated[str | None, setting("aligner", Model)] = None,
    encoder_window_seconds: Annotated[int | None, setting("encoder_window_seconds", Model)] = None,
    feature_floor: Annotated[str | None, setting("feature_floor", Model)] = None,
    cache_bytes: Annotated[int | None, setting("cache_bytes", Model)] = None,
    workers: Annotated[int | None, setting("workers", Model)] = None,
    threads_per_worker: Annotated[int | None, setting("threads_per_worker", Model)] = None,
    max_batch: Annotated[int | None, setting("max_batch", Model)] = None,
    isolation: Annotated[str | None, setting("isolation", Model)] = None,
    stall_seconds: Annotated[float | None, setting("stall_seconds", Model)] = None,
    step_seconds: Annotated[float | None, setting("step_seconds", Model)] = None,
    window_seconds: Annotated[float | None, setting("window_seconds", Model)] = None,
    strategy: Annotated[str | None, setting("strategy", Model)] = None,
    delay: Annotated[str | None, setting("delay", Model)] = None,
    max_sessions: Annotated[
        int | None, setting("max_sessions", Limits, "--max-sessions", "--asr-max-concurrent-sessions")
    ] = None,
    max_sessions_per_key: Annotated[int | None, setting("max_sessions_per_key", Limits)] = None,
    max_lag_seconds: Annotated[float | None, setting("max_lag_seconds", Limits)] = None,
    idle_seconds: Annotated[float | None, setting("idle_seconds", Limits)] = None,
    max_message_bytes: Annotated[int | None, setting("max_message_bytes", Limits)] = None,
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
    log_format: Annotated[str | None, setting("log_format", Log)] = None,
    log_level: Annotated[str | None, setting("log_level", Log)] = None,
    log_transcripts: Annotated[bool | None, setting("log_transcripts", Log, "--log-transcripts")] = None,
    mute_seconds: Annotated[float | None, setting("mute_seconds", Log)] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of settings, named as the options with _ for -.")
    ] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Print the settings as TOML and exit.")] = False,
) -> None:
    """Run the server: HTTP and WebSocket on one port.

    Every option can also be given by environment, as WAVESCRIBE_<NAME> (WAVESCRIBE_MAX_SESSIONS=8), or in a TOML
    file (max_sessions = 8). Options win over the environment, and the environment over the file.

    Example: wavescribe serve --model whisper-base --port 8000
    """
    given = {name: value for name, value in locals().items() if name in Settings.model_fields}
    settings = load_settings(config, **given)
    if print_config:
        typer.echo(as_toml(settings), nl=False)
        if settings.api_key:
            left_out = f"wavescribe: {len(settings.api_key)} keys are left out; keep keys in a file: api_key_file"
            typer.echo(left_out, err=True)
    else:
        run_server(settings)


def run_server(settings: Settings) -> None:
    """Load the model and serve until interrupted.

    Raises:
        WavescribeError: a setting is wrong or the model cannot be loaded.
    """
    AllowedOrigins(settings.allowed_origin)  # wrong ones are told before the model is loaded
    keys = ApiKeys.load([key.get_secret_value() for key in settings.api_key], settings.api_key_file)
    configure_logging(settings.log_format, settings.log_level, with_transcripts=settings.log_transcripts)
    settings = with_useful_workers(settings)
    with ending_after_sigterm():
        engine = _load_engine(settings)
        try:
            _serve(engine, settings, keys)
        finally:
            engine.close()


def load_in_process(configure_log: Callable[[], None], load: Callable[[], Engine]) -> Engine:
    """Load an engine in a process of its own, whose log is to look like the server's."""
    configure_log()
    keep_memory_at_hand()
    return load()


def _load_engine(settings: Settings) -> Engine:
    if settings.isolation == "process":
        keep_memory_compact()
        configure_log = partial(
            configure_logging, settings.log_format, settings.log_level, with_transcripts=settings.log_transcripts
        )
        return IsolatedEngine(
            partial(load_in_process, configure_log, engine_loader(settings)), settings.workers, settings.stall_seconds
        )
    return engine_loader(settings, workers=settings.workers)()


def _serve(engine: Engine, settings: Settings, keys: ApiKeys) -> None:
    app = build_app(engine, settings, keys)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ws_max_size=settings.max_message_bytes,
        # A ping time-out would kill healthy streams whose client is busy sending.
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        log_config=None,
        # Anybody can write X-Forwarded-For: the log has the address that is connected.
        proxy_headers=False,
        # After the streams were finished, connections that do not end by themselves are cut.
        timeout_graceful_shutdown=CUT_SECONDS,
        ssl_certfile=settings.ssl_certfile,
        ssl_keyfile=settings.ssl_keyfile,
    )
    server = DrainingServer(config, app.state.drain)
    server.run()
    if not server.started:
        sys.exit(START_FAILED)
