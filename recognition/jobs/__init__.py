"""Work that a worker does for a row, and the queues it waits in."""
