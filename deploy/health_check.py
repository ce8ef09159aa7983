"""Exit with 0 when the server in this container answers at /health, else with 1."""

import os
import ssl
import sys
import urllib.request

SECONDS = 3


def main() -> int:
    """Ask once, on the port and with or without TLS as the environment's settings say."""
    certified = bool(os.environ.get("WAVESCRIBE_SSL_CERTFILE"))
    url = f"http{'s' if certified else ''}://127.0.0.1:{os.environ.get('WAVESCRIBE_PORT', '8000')}/health"
    # The certificate is of the server's public name, not of this address, which nobody else can answer at.
    context = ssl._create_unverified_context() if certified else None
    try:
        with urllib.request.urlopen(url, timeout=SECONDS, context=context) as answer:
            return 0 if answer.status == 200 else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
