"""Which models there are, which one is active, and what another one would change."""
