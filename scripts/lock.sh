#!/usr/bin/env bash
# Make the locks anew from pyproject.toml: requirements.lock (everything that developers need) and, with the versions
# in it, requirements-server.lock (what a server needs, and its models) and requirements-build.lock (what builds the
# wheel).
#
#   scripts/lock.sh                     keep the locked versions that still fit
#   scripts/lock.sh --upgrade           take the newest version of everything
#   scripts/lock.sh -P fastapi          take the newest version of one package
#
# The lock is made from one package index: the one that UV_DEFAULT_INDEX, PIP_INDEX_URL or pip's configuration
# names, else uv's own default. Extra indexes and folders of wheels are left out, so that every locked hash is one
# that this index serves, and no address is written to the lock.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly UV_VERSION=0.13.8
readonly PYTHON="${PYTHON:-python3}"
readonly PLATFORMS=(x86_64-manylinux_2_34 aarch64-manylinux_2_31 aarch64-apple-darwin)
readonly PYTHON_VERSIONS=(3.11 3.12 3.13)
export MACOSX_DEPLOYMENT_TARGET=15.0 # the oldest macOS that moonshine-voice has a wheel for

# The first value that pip's configuration has for a name, or nothing.
pip_setting() {
    "$PYTHON" -m pip config get "global.$1" 2>/dev/null || true
}

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "uv==$UV_VERSION"
uv="$work/venv/bin/uv"

index="${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$(pip_setting index-url)}}"
certificates="${SSL_CERT_FILE:-${PIP_CERT:-$(pip_setting cert)}}"
[ -z "$index" ] || export UV_DEFAULT_INDEX="$index"
[ -z "$certificates" ] || export SSL_CERT_FILE="$certificates"
unset UV_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS

# compile LOCK SOURCE [OPTION...]: lock what SOURCE names, for all platforms and Pythons.
compile() {
    "$uv" pip compile "$2" --universal --python-version 3.11 --fork-strategy fewest \
        --generate-hashes --no-emit-index-url --no-emit-find-links \
        --custom-compile-command scripts/lock.sh --quiet --output-file "$1" "${@:3}"
    echo "$1: $(grep -c '^[a-z0-9]' "$1") packages"
}

compile requirements.lock pyproject.toml --extra embedded --extra bench --extra docs --extra dev "$@"
compile requirements-server.lock pyproject.toml --extra embedded --constraint requirements.lock
"$PYTHON" -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
    >"$work/build.in"
compile requirements-build.lock "$work/build.in" --no-annotate --constraint requirements.lock

# Every package must have a wheel on every platform: a fresh machine has no compiler.
for platform in "${PLATFORMS[@]}"; do
    for version in "${PYTHON_VERSIONS[@]}"; do
        "$uv" pip install --no-config --dry-run --quiet --no-deps --require-hashes --only-binary :all: \
            --python-platform "$platform" --python-version "$version" --python "$PYTHON" \
            --target "$work/target" --requirements requirements.lock
        echo "wheels for $platform, Python $version: all there"
    done
done
