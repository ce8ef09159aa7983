"""Every setting of the server in one typed object: flags and WAVESCRIBE_* environment variables."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from wavescribe.errors import ConfigurationError
from wavescribe.streaming.delay import Delay
from wavescribe.streaming.parameters import StrategyName

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """The server's settings; each is a `serve` flag and an environment variable WAVESCRIBE_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="WAVESCRIBE_", frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 picks a free one")
    model: str = Field("whisper-base", description="model name, directory or Hugging Face id")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the model runs: auto, cpu or cuda")
    compute_type: str = Field("int8", description="arithmetic of the model: int8, float16 or float32")
    workers: int = Field(1, ge=1, description="decodes that run at the same time")
    threads_per_worker: int = Field(2, ge=1, description="CPU threads of each decode")
    step_seconds: float = Field(1.0, ge=0.2, le=10, description="seconds of audio between two decodes of a live stream")
    window_seconds: float = Field(8.0, ge=4, le=28, description="longest audio of one decode of a live stream")
    strategy: StrategyName = Field(
        "windowed", description="how live streams are transcribed: windowed; cumulative or sliced to compare with"
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
    max_sessions: int = Field(32, ge=1, description="live streams at the same time")
    max_buffer_seconds: float = Field(
        1800, gt=0, description="audio of one stream received and not yet decoded, in seconds"
    )
    max_file_jobs: int = Field(4, ge=1, description="files transcribed or waiting at the same time")


def load_settings(**flags: object) -> Settings:
    """Read the environment and lay the given flags (those that are not None) over it.

    Raises:
        ConfigurationError: a value is wrong; the message names the setting.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]  # validated by pydantic, not by the caller's types
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"setting {name}: {first['msg']}, got {first['input']!r}") from error
