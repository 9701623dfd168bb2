"""An app in whose import the bootstrap is told to stop: as early as can be, long before it could handle that."""

from __future__ import annotations

import os
import signal
import time

os.kill(os.getppid(), signal.SIGTERM)
time.sleep(60)  # the import of a large app; the bootstrap ends it
