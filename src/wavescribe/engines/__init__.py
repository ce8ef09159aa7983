"""Speech recognition engines behind one protocol, and their weights."""
