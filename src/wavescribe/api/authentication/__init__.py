"""Who may use the server: API keys, client secrets of realtime sessions, and the origins of browsers."""
