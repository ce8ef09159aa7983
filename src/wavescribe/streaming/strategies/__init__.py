"""How a stream chooses windows, prefixes and what settles."""
