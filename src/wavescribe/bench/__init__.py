"""Measurements of quality and cost; run as modules, for example `python -m wavescribe.bench.quality --help`."""
