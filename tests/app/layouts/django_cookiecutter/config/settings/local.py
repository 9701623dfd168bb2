from .base import *  # noqa: F403

TEXT = "local"
