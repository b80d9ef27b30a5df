"""`python build.py …` is `fervis build …`."""

import sys

try:
    from fervis.cli import program
except ModuleNotFoundError as error:
    sys.exit(f"{error}; set up first (`make setup`), then run .venv/bin/python build.py")

if __name__ == "__main__":
    program(["build", *sys.argv[1:]])
