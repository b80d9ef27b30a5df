"""How many times as long property tests take: `make torture` raises it."""

import os

TIMES = int(os.environ.get("FERVIS_TIMES", "1"))
