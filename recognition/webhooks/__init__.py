"""Webhooks: what is sent to addresses that people gave, and how it gets there."""
