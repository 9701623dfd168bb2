"""What adapter process and app process agree on: how they start, and what they send each other. Both import it."""
