"""Find the app where its name is not simply `module:attribute`, and say what is missing if there is none.

Nothing here is imported for a start whose app has such a name, unless that start fails.
"""
