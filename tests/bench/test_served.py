from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from wavescribe.bench.realtime_client import Target
from wavescribe.bench.served import served_by
from wavescribe.errors import ConfigurationError
from wavescribe.settings import Settings

SECRET = "sk-not-to-be-seen"
OWN = Target("", language="en")


def test_flags_the_environment_and_a_file_are_told_and_what_is_as_by_default_is_in_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.toml").write_text('delay = "low"\n')
    monkeypatch.setenv("WAVESCRIBE_THREADS_PER_WORKER", "3")
    found = served_by(OWN, ["--workers", "5", "--config", str(tmp_path / "settings.toml")])
    assert found.line == (
        "served by wavescribe, started here, model whisper-base, "
        "settings other than the defaults: workers 5, threads_per_worker 3, delay low"
    )
    assert found.settings["window_seconds"] == Settings.model_fields["window_seconds"].default
    assert (found.settings["workers"], found.settings["delay"], found.elsewhere) == (5, "low", False)
    assert served_by(OWN, ["--workers=2", "--threads-per-worker=1"]).line.endswith(
        "whisper-base, settings as by default"
    )


def test_neither_keys_nor_places_of_the_machine_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("keys", "certificate", "key"):
        (tmp_path / name).write_text("")
    monkeypatch.setenv("WAVESCRIBE_API_KEY", SECRET)
    monkeypatch.setenv("WAVESCRIBE_SSL_KEYFILE", str(tmp_path / "key"))
    flags = ["--api-key-file", str(tmp_path / "keys"), "--ssl-certfile", str(tmp_path / "certificate")]
    found = served_by(OWN, [*flags, "--model", str(tmp_path / "a-model")])
    written = json.dumps(asdict(found)) + found.line
    assert SECRET not in written
    assert str(tmp_path) not in written
    assert found.model == "a-model"
    assert not {"api_key", "api_key_file", "ssl_certfile", "ssl_keyfile"} & found.settings.keys()


def test_of_a_server_elsewhere_only_its_address_and_model_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAVESCRIBE_WORKERS", "7")
    found = served_by(Target(f"ws://me:{SECRET}@host/v1?api_key={SECRET}", language="en", model="large"), [])
    assert found.line == "served by ws://***@host/v1?api_key=***, model large, settings unknown"
    assert (found.elsewhere, found.settings) == (True, {})
    assert "model of its own choice" in served_by(Target("ws://host", language="en"), []).line


def test_wrong_flags_are_told() -> None:
    with pytest.raises(ConfigurationError, match="frob"):
        served_by(OWN, ["--frob", "2"])
