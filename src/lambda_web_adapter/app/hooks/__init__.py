"""Call the app's hooks: before a freeze, around a snapshot, at shutdown."""
