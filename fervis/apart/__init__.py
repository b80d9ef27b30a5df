"""Builds in a process of their own, with limits: a stranger's network must not cost the machine."""

from __future__ import annotations

from fervis.apart.limits import HOUR_S, Limits, share_of_memory
from fervis.apart.parent import Answer, Order, build, end_all

__all__ = ["HOUR_S", "Answer", "Limits", "Order", "build", "end_all", "share_of_memory"]
