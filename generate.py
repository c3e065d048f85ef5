"""The command: ``python generate.py`` turns report.toml into site/; ``tokviz.cli`` says what it takes."""

# Drawing processes import this module when they start: what only the command needs waits for the main one.
if __name__ == "__main__":
    import _signal  # type: ignore[import-not-found]  # built in; signal itself would take milliseconds to import
    import os

    def stop(number: int, _: object) -> None:
        """End at once: nothing has begun. Later ``tokviz.run.work.interrupts`` answers."""
        try:
            os.write(2, b"stopped; run again to continue\n")
        finally:
            os._exit(128 + number)

    for name in {"SIGINT", "SIGTERM", "SIGBREAK"} & vars(_signal).keys():
        if _signal.getsignal(vars(_signal)[name]) != _signal.SIG_IGN:
            _signal.signal(vars(_signal)[name], stop)

    from tokviz.cli import run

    run()
