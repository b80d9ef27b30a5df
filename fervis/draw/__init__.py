"""Drawing primitives for the analyses: colours, overlays, charts, encoded pictures."""
