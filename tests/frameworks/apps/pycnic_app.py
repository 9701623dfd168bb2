from pycnic.core import WSGI, Handler


class Hello(Handler):
    def get(self, name):
        self.response.set_header("content-type", "text/plain")
        return f"hello {name} {self.request.args['x']}"


class app(WSGI):
    routes = [(r"/hello/([\w]+)", Hello())]
