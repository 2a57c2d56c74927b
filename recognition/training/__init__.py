"""Training, evaluation and export of the emotion classifier (Keras 3, no Django)."""
