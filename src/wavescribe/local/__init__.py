"""Transcription in this process: what the command line and the Python API run without a server."""
