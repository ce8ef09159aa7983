"""Makes the helpers in `support` importable by its tests, and starts the server that the commands talk to."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

from doc_workspace import Workspace, make_workspace, running  # the folder is on the path only now


@pytest.fixture(scope="session")
def documented_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server as it comes, which lets streams in however slow the machine is."""
    folder = tmp_path_factory.mktemp("server")
    with running("wavescribe serve --max-lag-seconds 0", folder) as port:
        yield port


@pytest.fixture
def workspace(tmp_path: Path, documented_server: int) -> Workspace:
    """A folder with the files that the documentation speaks of; its programs talk to the server."""
    return make_workspace(tmp_path, documented_server)
