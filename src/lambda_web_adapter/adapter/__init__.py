"""The adapter process: the bootstrap. Blocking sockets, and nothing imported but the standard library, httptools, orjson."""
