import typer

app = typer.Typer()


@app.command()
def migrate() -> None: ...


if __name__ == "__main__":
    app()
