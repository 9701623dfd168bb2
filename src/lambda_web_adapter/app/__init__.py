"""The app process: find the app, serve it, report to the adapter when it is ready and when requests are done."""
