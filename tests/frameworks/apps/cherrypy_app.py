import cherrypy


class Root:
    @cherrypy.expose
    def hello(self, name, x):
        return f"hello {name} {x}"


cherrypy.config.update({"engine.autoreload.on": False, "environment": "embedded"})
app = cherrypy.Application(Root(), script_name=None)  # None: as the server says
