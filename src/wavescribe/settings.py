"""Every setting of the server in one typed object: flags, WAVESCRIBE_* environment variables and a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from wavescribe.engines.qwen3.options import FloorPolicy
from wavescribe.errors import ConfigurationError
from wavescribe.streaming.delay import Delay
from wavescribe.streaming.parameters import StrategyName

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """The server's settings; each is a `serve` flag, an environment variable WAVESCRIBE_<NAME> and a key in TOML."""

    model_config = SettingsConfigDict(env_prefix="WAVESCRIBE_", frozen=True, extra="forbid", allow_inf_nan=False)

    config_file: ClassVar[Path | None] = None
    """The TOML file that is read, if any; see `load_settings`."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags before the environment before the file."""
        file = TomlConfigSettingsSource(settings_cls, cls.config_file) if cls.config_file else None
        return (init_settings, env_settings, *([file] if file else []))

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    model: str = Field("whisper-base", description="model name, directory or Hugging Face id")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the model runs: auto, cpu or cuda")
    compute_type: str | None = Field(
        None,
        description="arithmetic of the model; Whisper: int8 (the default), float16 or float32; Qwen3-ASR: bfloat16 "
        "(the default on CUDA), float16 or float32 (the default on a CPU)",
    )
    aligner: str | None = Field(
        None,
        description="directory or Hugging Face id of Qwen3-ForcedAligner, which gives Qwen3-ASR's word times; without "
        "it they are estimates",
    )
    encoder_window_seconds: int | None = Field(
        None,
        ge=1,
        le=8,
        description="audio that Qwen3-ASR's encoder hears at once, in seconds; by default the checkpoint's, which is "
        "8; shorter costs less and may be worse",
    )
    feature_floor: FloorPolicy = Field(
        "exact",
        description="what a late loud sound does to Qwen3-ASR's earlier audio: exact hears it again as the official "
        "model would; frozen leaves it as it was heard, which bounds the cost",
    )
    cache_bytes: int | None = Field(
        None,
        ge=1,
        description="memory for the state of all Qwen3-ASR streams, in bytes; by default 2 GiB on a CPU and 70 % of "
        "what is free on CUDA. It limits how many streams are let in",
    )
    workers: int = Field(
        2, ge=1, description="decodes that run at the same time; Qwen3-ASR runs one of many streams, on all threads"
    )
    threads_per_worker: int = Field(1, ge=1, description="CPU threads of each decode")
    max_batch: int = Field(8, ge=1, description="most steps in one decode, on engines that gain from batches")
    isolation: Literal["process", "thread"] = Field(
        "process",
        description="where decodes run: process (one for each worker, replaced when it hangs or dies) or thread",
    )
    stall_seconds: float = Field(
        60, gt=0, description="longest time that a decode may take before its worker is taken for hung, in seconds"
    )
    step_seconds: float = Field(1.0, ge=0.2, le=10, description="seconds of audio between two decodes of a live stream")
    window_seconds: float = Field(
        8.0, ge=4, le=28, description="longest audio of one decode of a live stream; Qwen3-ASR always has 32"
    )
    strategy: StrategyName = Field(
        "windowed",
        description="how live streams are transcribed: windowed; segmented, where text settles a segment at a time; "
        "cumulative or sliced to compare with",
    )
    delay: Delay = Field(
        "medium", description="how long text is held back before it settles: minimal, low, medium, high or xhigh"
    )
    stream_format: Literal["events", "chunks"] = Field(
        "events", description="form of a streamed file's events: events or chunks"
    )
    max_upload_bytes: int = Field(
        200 * MEBIBYTE, ge=1, description="largest request body accepted by the HTTP API, in bytes"
    )
    max_audio_seconds: float = Field(4 * 3600, gt=0, description="longest decoded audio of one file, in seconds")
    max_turn_seconds: float = Field(
        60, ge=5, description="longest turn of a stream whose turns are detected, in seconds; it ends between words"
    )
    max_session_seconds: float = Field(
        3600, ge=0, description="longest life of a live stream or a realtime session, in seconds; 0 for no limit"
    )
    resume_seconds: float = Field(
        30, ge=0, description="how long a realtime session that asked for it outlives its connection, in seconds"
    )
    drain_seconds: float = Field(
        30, ge=0, description="how long open streams may take to finish when the server is told to stop, in seconds"
    )
    compat: Literal["openai", "sglang"] = Field(
        "openai", description="whose behaviour the realtime API has where the two differ: openai or sglang"
    )
    max_sessions: int = Field(32, ge=1, description="live streams at the same time")
    max_sessions_per_key: int = Field(0, ge=0, description="live streams of one API key at the same time; 0 for all")
    max_lag_seconds: float = Field(
        4.0,
        ge=0,
        description="how late after it was said text may settle, in seconds, at the 95th percentile; "
        "a live stream that would make it later is refused; 0 lets all in",
    )
    idle_seconds: float = Field(
        0, ge=0, description="how long a live stream may send nothing before it is ended, in seconds; 0 for ever"
    )
    max_message_bytes: int = Field(
        24 * MEBIBYTE, ge=1024, description="largest WebSocket message, in bytes; audio of 15 MiB is 20 MiB as base64"
    )
    mute_seconds: float = Field(
        20, gt=0, description="speech of a stream that gave no text after which the log says so, in seconds"
    )
    log_format: Literal["text", "json"] = Field("text", description="form of the log: text or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")
    log_transcripts: bool = Field(False, description="whether the log has what was said; it is private")
    max_buffer_seconds: float = Field(
        1800, gt=0, description="audio of one stream received and not yet decoded, in seconds"
    )
    max_file_jobs: int = Field(4, ge=1, description="files transcribed or waiting at the same time")
    api_key: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        (),
        description="key that clients must present; repeatable, by environment separated by commas; without any, "
        "authentication is off. Flags are seen by other users of the machine: prefer the file or the environment",
    )
    api_key_file: Path | None = Field(
        None, description="file with one API key a line; blank lines and lines that start with # are skipped"
    )
    allowed_origin: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origin of web pages, beside the server's own, that may use the API; repeatable; * for all"
    )
    ssl_certfile: Path | None = Field(
        None, description="certificate chain in PEM; makes the server speak https and wss"
    )
    ssl_keyfile: Path | None = Field(None, description="private key of the certificate in PEM")

    @field_validator("api_key", "allowed_origin", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split(",") if isinstance(value, str) else value

    @field_validator("ssl_certfile", "ssl_keyfile")
    @classmethod
    def _check_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("there is no such file")
        return value

    @model_validator(mode="after")
    def _check_certificate(self) -> Settings:
        if self.ssl_keyfile is not None and self.ssl_certfile is None:
            raise ValueError("ssl_keyfile is given without ssl_certfile")
        return self


def load_settings(config: Path | None = None, **flags: object) -> Settings:
    """Read the file and the environment, and lay the given flags (those that are not None) over them.

    Args:
        config: a TOML file of settings, or None.
        flags: settings by name.

    Raises:
        ConfigurationError: a value is wrong; the message names the setting.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    chosen: type[Settings] = Settings
    if config is not None:
        chosen = type("Settings", (Settings,), {"config_file": _readable(config), "__doc__": Settings.__doc__})
    try:
        return chosen(**given)  # type: ignore[arg-type]  # validated by pydantic, not by the caller's types
    except ValidationError as error:
        raise ConfigurationError(_message(error)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{config} is not TOML: {error}") from None


def _readable(config: Path) -> Path:
    try:
        config.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read the configuration {config}: {error.strerror}") from None
    return config


def _message(error: ValidationError) -> str:
    """What is wrong with which setting; keys are never quoted."""
    first = error.errors()[0]
    if not first["loc"]:
        return f"settings: {first['msg']}"
    name = ".".join(str(part) for part in first["loc"])
    given = "" if name.startswith("api_key") else f", got {first['input']!r}"
    return f"setting {name}: {first['msg']}{given}"
