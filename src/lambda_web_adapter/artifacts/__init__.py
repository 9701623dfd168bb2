"""What is deployed, read as Lambda will see it: a folder, a zip, a layer or an image."""
