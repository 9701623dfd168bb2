"""The app process: find the app, serve it, tell the adapter when it is ready and done."""
