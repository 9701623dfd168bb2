"""What the two processes agree on: how they start, what they send each other. Both import it."""
