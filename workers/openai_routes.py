"""All OpenAI-compatible routes as one router, for the application to include.

Not here: the routes themselves (openai_chat.py, openai_files.py, openai_batches.py).
"""

from __future__ import annotations

from fastapi import APIRouter

from workers import openai_batches, openai_chat, openai_files

router = APIRouter()
for _each in (openai_chat.router, openai_files.router, openai_batches.router):
    router.include_router(_each)
