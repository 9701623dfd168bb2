from fastapi import APIRouter
from src.config import NAME

router = APIRouter()


@router.get("/")
def index() -> str:
    return NAME
