def main() -> None:
    print("Hello from my-service!")
