"""The API for the user's app: the current invocation, and hooks. Runs in the app process."""
