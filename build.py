"""`python build.py …` is `fervis build …`."""

import sys

try:
    from fervis.cli import main
except ModuleNotFoundError as error:
    sys.exit(f"{error}; set up first (`make setup`), then run .venv/bin/python build.py")

if __name__ == "__main__":
    main(["build", *sys.argv[1:]])
