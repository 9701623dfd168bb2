from shop.web import create

application = create()
