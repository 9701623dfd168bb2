"""The adapter process (the bootstrap). It imports only this package, the standard library, httptools and orjson."""
