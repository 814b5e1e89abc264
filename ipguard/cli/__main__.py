"""``python -m ipguard.cli``."""

from ipguard.cli.app import main

main()
