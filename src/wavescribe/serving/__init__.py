"""Scheduling, admission, sessions and metrics around the core."""
