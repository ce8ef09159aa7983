#!/usr/bin/env bash
# Make the locks of the extra `qwen` and its tests anew: what they add to requirements.lock. Options go to uv, as for
# scripts/lock.sh, which runs first.
#
#   requirements-qwen.lock       everything but torch
#   requirements-qwen-cpu.lock   torch's build without CUDA, where pip's folder of wheels (find-links) has one; kept
#                                as it is where the folder has none
#   requirements-qwen-cuda.lock  torch as the package index has it, and the CUDA libraries it needs on Linux
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly UV_VERSION=0.13.8
readonly PYTHON="${PYTHON:-python3}"

pip_setting() {
    "$PYTHON" -m pip config get "global.$1" 2>/dev/null || true
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "uv==$UV_VERSION"

index="${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(pip_setting index-url)}}"
certificates="${SSL_CERT_FILE:-${PIP_CERT:-$(pip_setting cert)}}"
wheels="${PIP_FIND_LINKS:-$(pip_setting find-links)}"
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
[ -z "$certificates" ] || export SSL_CERT_FILE="$certificates"
unset UV_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS

"$work/venv/bin/uv" pip compile pyproject.toml --extra qwen --extra qwen-test --universal --python-version 3.11 \
    --fork-strategy fewest --constraints requirements.lock --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-header --no-annotate --quiet --output-file "$work/all.lock" "$@"

"$PYTHON" - "$work/all.lock" "$wheels" <<'END'
import hashlib
import re
import sys
from pathlib import Path


def entries(path):
    """Name to the lines of each locked package."""
    blocks = re.split(r"^(?=[a-z0-9])", Path(path).read_text(), flags=re.M)
    return {re.match(r"[a-z0-9._-]+", block)[0]: block for block in blocks if block[:1].isalnum()}


def write(name, blocks):
    header = "# Made by scripts/lock_qwen.sh; added to requirements.lock by make test-qwen.\n"
    Path(name).write_text(header + "".join(blocks))
    print(f"{name}: {len(blocks)} packages")


known = entries("requirements.lock")
added = {name: block for name, block in entries(sys.argv[1]).items() if name not in known}
version = re.match(r"torch==([0-9.]+)", added["torch"])[1]
wheels = sorted(Path(sys.argv[2]).glob(f"torch-{version}+cpu-*.whl")) if sys.argv[2] else []
if wheels:
    sums = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
    lines = "".join(f" \\\n    --hash=sha256:{each}" for each in sums)
    write("requirements-qwen-cpu.lock", [f"torch=={version}+cpu{lines}\n"])
cuda = [name for name in added if name.startswith(("torch", "nvidia-", "cuda-", "triton"))]
write("requirements-qwen.lock", [block for name, block in added.items() if name not in cuda])
write("requirements-qwen-cuda.lock", [added[name] for name in cuda])
END
