class Config:
    TEXT = "flask_mega_tutorial"
