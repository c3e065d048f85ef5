"""``tokviz`` and ``python -m tokviz``."""


def main() -> None:
    """Do what the command line says; Ctrl-C and SIGTERM end it in one line."""
    # Drawing processes import this module when they start: what only the command needs waits for the main one.
    from tokviz.run import interrupts

    with interrupts.heeded():
        from tokviz.cli.application import run

        run()


if __name__ == "__main__":
    main()
