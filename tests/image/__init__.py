"""The image, built and run: `make image-test`. Not part of `make test`, which needs no engine."""
