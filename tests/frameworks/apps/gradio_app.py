import gradio
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

app = FastAPI()


@app.get("/hello/{name}", response_class=PlainTextResponse)
async def hello(name: str, x: str):
    return f"hello {name} {x}"


demo = gradio.Interface(lambda name: f"hello {name}", "text", "text")
app = gradio.mount_gradio_app(app, demo, path="/ui")
