def main() -> None:
    print("Hello from uv-app!")


if __name__ == "__main__":
    main()
