"""An engine in processes of its own: one that hangs or dies is replaced, and streams go on."""

from wavescribe.engines.isolation.engine import IsolatedEngine

__all__ = ["IsolatedEngine"]
