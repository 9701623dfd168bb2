"""The app process, from the adapter's side: start, readiness, control channel, restart, stop."""
