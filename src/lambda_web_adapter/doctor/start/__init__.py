"""The start of an app, tried: an environment of the embedded Lambda, observed from within."""
