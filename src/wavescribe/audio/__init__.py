"""Bytes to float samples at the engine's rate."""
