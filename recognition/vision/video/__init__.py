"""Videos that people send, read in a process of their own that may die of them.

A video is read through one open file and one pipe: the process can open nothing else, knows no
secret of the site, and has limits of memory and processor time.
"""
