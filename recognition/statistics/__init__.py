"""What a person's photos and live sessions showed over time."""
