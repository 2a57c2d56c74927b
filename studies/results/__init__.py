"""What came in: progress, the group's curves, downloads."""
