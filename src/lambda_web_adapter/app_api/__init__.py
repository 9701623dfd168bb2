"""What the user's app may ask for: the current invocation and hooks. Runs in the app process."""
