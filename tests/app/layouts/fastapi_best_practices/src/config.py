NAME = "fastapi_best_practices"
