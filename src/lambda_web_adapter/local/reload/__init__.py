"""New environments when the app's files change."""
