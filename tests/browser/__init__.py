"""Tests with a real browser: `make test-browser`, where Chromium and its driver are installed."""
