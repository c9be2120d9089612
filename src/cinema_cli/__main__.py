"""``python -m cinema_cli``: the form that ``accelerate launch -m`` takes."""

from cinema_cli.cli.app import main

if __name__ == "__main__":
    main()
