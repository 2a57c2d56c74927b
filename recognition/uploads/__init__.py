"""Photos: accepted, read by a worker, shown, corrected, explained, kept for a time, deleted."""
