"""Every command and program of the documentation is run as it is written, or is listed with the reason why not."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer
from doc_blocks import PAGES, ROOT, Block, all_blocks, blocks_of
from doc_exceptions import COMMANDS, GENERATED, PROGRAMS, SECURE
from doc_workspace import Workspace, environment, running

from wavescribe.bench.program import app as bench

SAID = "fox"

DRIVEN = {
    "async def live(blocks)": """
import asyncio, wave
with wave.open("speech_16k_mono.wav") as audio:
    asyncio.run(live([audio.readframes(audio.getnframes())]))
"""
}
"""What calls a function that a program only defines, by a piece of the program."""


def is_make(command: str) -> bool:
    return command.split()[0] == "make"


def is_bench(command: str) -> bool:
    return command.startswith("wavescribe bench")


def serves(command: str) -> bool:
    return "wavescribe serve" in command and "--print-config" not in command


def hears_a_microphone(command: str) -> bool:
    return command.startswith("wavescribe listen --")


def is_the_shared_server(command: str) -> bool:
    """Whether it is what the fixture starts: a server as it comes."""
    return command.endswith("wavescribe serve")


def programs_of(page: str) -> list[Block]:
    return [block for block in blocks_of(page) if block.language == "python" and first_line(block) not in PROGRAMS]


def commands_of(page: str) -> list[str]:
    blocks = (block for block in blocks_of(page) if block.language == "console")
    return [command for block in blocks for command in block.commands() if command not in COMMANDS]


def first_line(block: Block) -> str:
    return block.text.partition("\n")[0]


def is_accounted_for(block: Block) -> bool:
    """Whether the block is run by a test here, compared with its source by another, or listed."""
    if block.language in ("console", "python") or block.page in GENERATED or first_line(block) in PROGRAMS:
        return True
    return block.includes_a_file


def test_there_is_no_block_that_no_test_looks_at() -> None:
    left = [
        f"{block.place} ({block.language or 'no language'})" for block in all_blocks() if not is_accounted_for(block)
    ]
    empty = [block.place for block in all_blocks() if block.language == "console" and not list(block.commands())]
    assert not left
    assert not empty, "a console without a command that begins with $"


def test_nothing_is_listed_that_is_not_in_the_documentation() -> None:
    commands = {command for block in all_blocks() for command in block.commands()}
    assert not COMMANDS.keys() - commands
    assert not PROGRAMS.keys() - {first_line(block) for block in all_blocks()}


@pytest.mark.parametrize("page", [page for page in PAGES if any(map(is_make, commands_of(page)))])
def test_every_make_target_of_a_page_is_there(page: str) -> None:
    for command in filter(is_make, commands_of(page)):
        done = subprocess.run(
            ["make", "--dry-run", *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True
        )
        assert done.returncode == 0, f"$ {command}\n{done.stderr}"


@pytest.mark.parametrize("page", [page for page in PAGES if any(map(is_bench, commands_of(page)))])
def test_every_measurement_of_a_page_is_one_that_the_program_understands(page: str) -> None:
    group: Any = typer.main.get_command(bench)
    for command in filter(is_bench, commands_of(page)):
        arguments = shlex.split(command)[2:]
        with group.make_context("wavescribe bench", list(arguments)) as context:
            name, measurement, rest = group.resolve_command(context, arguments)
            assert measurement is not None, command
            measurement.make_context(name, rest, parent=context).close()


@pytest.mark.model
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(not is_make(command) and not is_bench(command) for command in commands_of(page))],
)
def test_every_command_of_a_page_runs(page: str, workspace: Workspace) -> None:
    for command in commands_of(page):
        if is_make(command) or is_bench(command) or is_the_shared_server(command) or hears_a_microphone(command):
            continue
        if serves(command):
            with running(command.replace(".venv/bin/", "").replace("venv/bin/", ""), workspace.folder):
                pass
        else:
            written = workspace.run(command)
            if "talk.mp" in command:
                assert SAID in written.lower(), f"$ {command}\n{written}"


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if any(map(hears_a_microphone, commands_of(page)))])
def test_every_command_that_hears_a_microphone_writes_what_is_said(page: str, workspace: Workspace) -> None:
    for command in filter(hears_a_microphone, commands_of(page)):
        written = workspace.run_microphone(command, until=SAID)
        assert SAID in written, f"$ {command}\n{written}"


@pytest.mark.model
@pytest.mark.slow
def test_the_command_for_a_server_with_tls_and_keys_listens_on_the_one_that_its_page_sets_up(
    workspace: Workspace,
) -> None:
    commands = commands_of("docs/live-captions.md")
    [serve] = [command for command in commands if "--ssl-certfile" in command]
    for command in commands[commands.index(serve) - 3 : commands.index(serve)]:
        workspace.run(command)
    with running(f"{serve} --max-lag-seconds 0", workspace.folder) as port:
        secured = Workspace(workspace.folder, port)
        # The certificate has this name, too, and the machine of the test has no other.
        written = secured.run_microphone(SECURE.replace("captions:8000", "localhost:8000"), until=SAID)
    assert SAID in written


@pytest.mark.model
@pytest.mark.parametrize("page", [page for page in PAGES if programs_of(page)])
def test_every_program_of_a_page_runs(page: str, workspace: Workspace) -> None:
    for block in programs_of(page):
        driver = "".join(text for piece, text in DRIVEN.items() if piece in block.text)
        written = workspace.run_python(block.text + driver, until="dog")
        assert SAID in written.lower(), f"{block.place}\n{written}"


def test_the_pages_that_come_from_the_code_are_up_to_date() -> None:
    done = subprocess.run(
        ["python", "scripts/reference", "--check"], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_page_that_the_code_has_left_behind_is_told(tmp_path: Path) -> None:
    for part in ("scripts/reference", "docs"):
        subprocess.run(["cp", "-r", ROOT / part, tmp_path / Path(part).name], check=True)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "reference").rename(tmp_path / "scripts" / "reference")
    page = tmp_path / "docs" / "settings.md"
    page.write_text(page.read_text().replace("`8000`", "`8001`"))
    done = subprocess.run(
        ["python", "scripts/reference", "--check"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "docs/settings.md" in done.stderr
