from typing import Annotated

from fastapi import APIRouter, Depends

from ..dependencies import greeting

router = APIRouter()


@router.get("/")
def read_items(text: Annotated[str, Depends(greeting)]) -> str:
    return text
