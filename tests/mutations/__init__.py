"""Whether a test fails when the code is wrong: changes by hand, and a sample drawn by chance."""
