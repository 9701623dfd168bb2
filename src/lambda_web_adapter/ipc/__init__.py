"""What adapter process and app process have to agree on: how they start, and what they send each other."""
