"""Builds in a process of their own, with limits: a stranger's network must not cost the machine."""

from __future__ import annotations

from fervis.apart.limits import Limits
from fervis.apart.parent import Answer, Order, build, end_all

__all__ = ["Answer", "Limits", "Order", "build", "end_all"]
