"""The command: ``python generate.py`` turns report.toml into site/; ``tokviz.cli`` says what it takes."""

# Drawing processes import this module when they start: what only the command needs waits for the main one.
if __name__ == "__main__":
    from tokviz.run import interrupts

    with interrupts.heeded():
        from tokviz.cli import run

        run()
