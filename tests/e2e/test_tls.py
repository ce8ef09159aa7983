"""`--ssl-certfile` and `--ssl-keyfile`: https and wss with a certificate of our own."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.sync.client import connect

from wavescribe import Settled, TranscriptionClient
from wavescribe.audio.decoding import decode_audio
from wavescribe.errors import ServerUnreachableError

pytestmark = pytest.mark.model


def write_certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    chain, private = directory / "certificate.pem", directory / "key.pem"
    chain.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return chain, private


def test_a_server_with_a_certificate_speaks_https_and_wss(tmp_path: Path, serve: Callable[..., Any]) -> None:
    chain, key = write_certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=chain)
    flags = ("--model", "whisper-tiny.en", "--ssl-certfile", str(chain), "--ssl-keyfile", str(key))
    server = serve(*flags, certificate=chain)
    assert server.http.startswith("https://")
    assert httpx.get(f"{server.http}/health", verify=trusted).status_code == 200
    with connect(f"{server.websocket}/v1/realtime?intent=transcription", ssl=trusted) as socket:
        assert json.loads(socket.recv(10))["type"] == "session.created"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{server.http}/health")


async def test_the_client_trusts_the_certificate_that_the_environment_names(
    tmp_path: Path, serve: Callable[..., Any], fox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, key = write_certificate(tmp_path)
    flags = ("--model", "whisper-tiny.en", "--ssl-certfile", str(chain), "--ssl-keyfile", str(key))
    server = serve(*flags, certificate=chain)
    with pytest.raises(ServerUnreachableError, match=r"cannot connect to wss://.*certificate verify failed"):
        async with TranscriptionClient(server.http):
            pass
    monkeypatch.setenv("SSL_CERT_FILE", str(chain))
    async with TranscriptionClient(server.http) as client:
        await client.send(decode_audio(fox, max_seconds=60))
        client.finish()
        text = "".join([event.delta async for event in client if isinstance(event, Settled)])
    assert "fox" in text
