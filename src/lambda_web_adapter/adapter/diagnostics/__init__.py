"""What the adapter writes to the log, and what it finds out about an app that hangs or has ended."""
