def greeting() -> str:
    return "fastapi_bigger_applications"
