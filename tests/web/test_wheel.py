from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from wavescribe.web.assets import load_assets

PROJECT = Path(__file__).parents[2]


def test_the_wheel_carries_every_file_of_the_page(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=PROJECT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {f"wavescribe/web/{path}" for path in load_assets()} <= names
