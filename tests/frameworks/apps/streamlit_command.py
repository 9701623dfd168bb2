import os
import sys

options = ["--server.address", "127.0.0.1", "--server.port", os.environ["PORT"], "--server.headless", "true"]
os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", "streamlit_page.py", *options])  # noqa: S606
