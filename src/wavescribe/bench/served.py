"""What was served while it was measured: a server's settings, or what is known of a server elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wavescribe.bench.baseline import settings_of
from wavescribe.bench.command_line import public_path, public_url
from wavescribe.bench.realtime_client import Target
from wavescribe.settings import Settings

UNTOLD = frozenset({"api_key", "api_key_file", "ssl_certfile", "ssl_keyfile", "host", "port"})
"""Keys, where they lie, and what a measurement chooses itself."""


@dataclass(frozen=True, slots=True)
class Served:
    """The server that was measured.

    Attributes:
        url: without secrets; "" where it was started here.
        model: its name; "" where a server elsewhere chose it.
        settings: by name, those that a flag, the environment or a file gave and the defaults; empty elsewhere.
        changed: names of the settings that are not the defaults.
    """

    url: str
    model: str
    settings: dict[str, object]
    changed: tuple[str, ...]

    @property
    def elsewhere(self) -> bool:
        """Whether it was not started here."""
        return bool(self.url)

    @property
    def line(self) -> str:
        """One sentence."""
        if self.elsewhere:
            return f"served by {self.url}, model {self.model or 'of its own choice'}, settings unknown"
        others = ", ".join(f"{name} {self.settings[name]}" for name in self.changed if name != "model")
        told = f"settings other than the defaults: {others}" if others else "settings as by default"
        return f"served by wavescribe, started here, model {self.model}, {told}"


def served_by(target: Target, flags: Sequence[str]) -> Served:
    """What a target serves.

    Args:
        target: the server; without a URL it is one that is started here.
        flags: that it is started with.

    Raises:
        ConfigurationError: a flag is unknown or its value is wrong.
    """
    settings = settings_of(flags)
    if target.url:
        return Served(public_url(target.url), target.model, {}, ())
    told = {name: _public(value) for name, value in settings.model_dump(mode="json", exclude=set(UNTOLD)).items()}
    changed = tuple(name for name in told if getattr(settings, name) != Settings.model_fields[name].default)
    return Served("", str(told["model"]), told, changed)


def _public(value: object) -> object:
    """A model may be a directory of this machine."""
    return public_path(value) if isinstance(value, str) else value
