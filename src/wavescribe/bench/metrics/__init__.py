"""The metrics as pure functions over what was said and what was written when; defined in docs/benchmarks.md."""
