from connexion import AsyncApp
from connexion_hello import SPECIFICATION

app = AsyncApp(__name__)
app.add_api(SPECIFICATION)
