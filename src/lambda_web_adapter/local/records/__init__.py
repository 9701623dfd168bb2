"""What has happened in a local run, and the API that other programs read it by."""
