import os

from granian import Granian

if __name__ == "__main__":
    Granian("starlette_app:app", address="127.0.0.1", port=int(os.environ["PORT"]), interface="asgi").serve()
