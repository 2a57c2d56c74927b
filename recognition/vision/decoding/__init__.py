"""Decoding of what people send, in processes that may die of it.

A web process hands the bytes to one of a few small children, each under limits of memory,
processor time and wall time, at most so many at once on a host. None of them knows a secret of the
site: they have Pillow, a pipe, and no environment.
"""
