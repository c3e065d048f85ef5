"""``tokviz`` and ``python -m tokviz``."""


def main() -> None:
    """Do what the command line says; Ctrl-C and SIGTERM end it in one line."""
    import _signal  # type: ignore[import-not-found]  # as in generate.py: not a moment without an answer
    import os

    def stop(number: int, _: object) -> None:
        try:
            os.write(2, b"stopped; run again to continue\n")
        finally:
            os._exit(128 + number)

    for name in {"SIGINT", "SIGTERM", "SIGBREAK"} & vars(_signal).keys():
        if _signal.getsignal(vars(_signal)[name]) != _signal.SIG_IGN:
            _signal.signal(vars(_signal)[name], stop)

    from tokviz.cli import run_commands

    run_commands()


if __name__ == "__main__":
    main()
