"""The live page: frames of a camera come in by WebSocket, labels go back."""
