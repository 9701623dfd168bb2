from fastapi import APIRouter

from app.core.config import settings

api_router = APIRouter()


@api_router.get("/")
def index() -> str:
    return settings.name
