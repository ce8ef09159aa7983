"""wavescribe: real-time speech recognition as a service."""
