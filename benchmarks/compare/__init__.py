"""Visage beside what people would otherwise install, on the same pictures and one core.

``pictures`` lays the pictures out, ``peer`` is the program that each peer's own Python runs,
``figures`` counts, ``page`` writes docs/COMPARISON.md, and ``python -m benchmarks.compare`` does
all of it.
"""
