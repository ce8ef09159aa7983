"""`python -m wavescribe`: the command line."""

from wavescribe.cli.main import run

run()
