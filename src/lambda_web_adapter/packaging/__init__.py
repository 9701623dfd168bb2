"""From a project's folder to what Lambda takes: a zip, a layer, or the folder of an image."""
