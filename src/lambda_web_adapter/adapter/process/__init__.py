"""The app process as the adapter sees it: start, readiness, control channel, restart."""
