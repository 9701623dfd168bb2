"""The inspector of a local run: a page, and the JSON API that the page and other programs read records by."""
