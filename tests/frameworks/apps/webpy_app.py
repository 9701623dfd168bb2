import web


class Hello:
    def GET(self, name):
        return f"hello {name} {web.input().x}"


app = web.application(("/hello/(.*)", "Hello"), {"Hello": Hello}).wsgifunc()
