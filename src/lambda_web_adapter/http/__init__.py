"""HTTP messages and the rules for them. It is pure and imports only `errors`, so both processes may import it."""
