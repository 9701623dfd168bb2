from tg import AppConfig, TGController, expose


class Root(TGController):
    @expose(content_type="text/plain")
    def hello(self, name, x):
        return f"hello {name} {x}"


config = AppConfig(minimal=True, root_controller=Root())
app = config.make_wsgi_app()
