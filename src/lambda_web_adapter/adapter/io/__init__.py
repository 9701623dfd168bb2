"""How the adapter waits for I/O: a blocking backend and one on asyncio, and the HTTP client of each."""
