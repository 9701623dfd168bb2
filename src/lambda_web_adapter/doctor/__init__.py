"""Examine what will run on Lambda, and say what is wrong with it, what that costs, and what to do."""
