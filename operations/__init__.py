"""What runs the site rather than being it: logs, metrics, backup."""
