"""The adapter process: the bootstrap. Blocking sockets, and no imports but the standard library, httptools, orjson."""
