"""Examples of programs that use the site from outside."""
