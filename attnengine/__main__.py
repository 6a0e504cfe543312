"""`python -m attnengine` is the command line."""

from attnengine.cli import main

main()
