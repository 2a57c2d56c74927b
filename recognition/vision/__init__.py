"""Face detection and expression classification, from bytes to labelled faces (no Django)."""
