"""report.yaml: what it may say, and what it says. The registries are handed in."""

from fervis.spec.json_schema import schema
from fervis.spec.loading import load
from fervis.spec.words import Described, describe

__all__ = ["Described", "describe", "load", "schema"]
