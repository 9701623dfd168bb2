"""How the app's hooks are called, and when."""
