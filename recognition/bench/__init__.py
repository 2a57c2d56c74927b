"""Measurements of the running site."""
