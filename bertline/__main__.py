"""The entry point: nothing is imported before Ctrl-C is understood."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from bertline.cli import run

        code = run()
    except KeyboardInterrupt:  # while modules were still loading
        print("bertline: interrupted", file=sys.stderr)
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
