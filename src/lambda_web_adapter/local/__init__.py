"""Lambda on a laptop: a gateway, the Runtime API, and the very bootstrap that runs on Lambda."""
