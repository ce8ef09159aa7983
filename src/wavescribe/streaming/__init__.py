"""The sans-I/O core: audio in, events out; no clock, no model, no wire format."""
