raise RuntimeError("it is not the entry point")
