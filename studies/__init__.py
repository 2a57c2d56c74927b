"""Webcam studies with remote participants, on top of recordings and the live stream.

Nothing that is below, `recognition` least of all, knows of it.
"""
