"""Write the pages of the documentation that come from the code: `python scripts/reference [--check]`.

With --check nothing is written, and the exit code is 1 when a committed page is not what the code gives now.
"""

from __future__ import annotations

import sys
from pathlib import Path

from commands_page import commands_page
from protocol_page import protocol_page
from settings_page import settings_page

DOCS = Path(__file__).parents[2] / "docs"


def main(arguments: list[str]) -> int:
    """Write or check the pages; returns the exit code."""
    made = {"protocol": protocol_page, "settings": settings_page, "commands": commands_page}
    pages = {DOCS / f"{name}.md": page() for name, page in made.items()}
    stale = [path for path, text in pages.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if "--check" in arguments:
            print(f"docs/{path.name} is not what the code gives: run `make reference`", file=sys.stderr)
        else:
            path.write_text(pages[path])
            print(f"wrote docs/{path.name}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
