import asyncio
import os

from tornado.web import Application, RequestHandler


class Hello(RequestHandler):
    def get(self, name):
        self.write(f"hello {name} {self.get_argument('x')}")


async def main():
    Application([(r"/hello/(\w+)", Hello)]).listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
