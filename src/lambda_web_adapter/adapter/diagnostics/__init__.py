"""What the adapter writes to the log, and what it can tell about an app that hangs or ended."""
