"""Live sources of audio: the microphone, standard input, and addresses; each an iterator of blocks that blocks.

A block is float32 of shape (samples,) in [-1, 1] at SAMPLE_RATE, one channel.
"""

SAMPLE_RATE = 16_000
"""Samples per second of every block."""
