"""How dates and times are written where Django's own way would surprise: see settings."""
