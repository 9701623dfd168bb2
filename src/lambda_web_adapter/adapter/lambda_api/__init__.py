"""Lambda's own APIs, as clients call them: the Runtime API and the Extensions API."""
