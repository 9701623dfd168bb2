"""Create an application instance."""

from shop.app import create_app

app = create_app()
