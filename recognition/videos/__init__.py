"""Videos: uploaded, looked at slice by slice, and turned into a recording."""
