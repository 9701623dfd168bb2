class Settings:
    name = "fastapi_full_stack"


settings = Settings()
