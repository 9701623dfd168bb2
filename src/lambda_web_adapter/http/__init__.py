"""HTTP messages and the rules for them. Pure: either process may import it; it imports `errors` only."""
