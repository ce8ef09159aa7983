"""Model weights: from a model's name to a directory whose files are checked."""

from __future__ import annotations

from wavescribe.engines.weights.listing import ModelListing, installed_models
from wavescribe.engines.weights.resolving import ResolvedWeights, resolve_weights

__all__ = ["ModelListing", "ResolvedWeights", "installed_models", "resolve_weights"]
