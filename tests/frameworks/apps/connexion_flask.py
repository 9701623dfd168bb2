from connexion import FlaskApp
from connexion_hello import SPECIFICATION

app = FlaskApp(__name__)
app.add_api(SPECIFICATION)
