"""Dialects: pure translators between wire messages and the core's commands and events."""
