"""The imports of an app, module by module, and how long each takes."""
