"""What another Python has: whether modules import there, and which packages are installed. Runs on Python 3.9."""

from importlib import import_module
from importlib.metadata import distributions
from typing import Dict, Tuple


class Inventory:
    """Looks around.

    Args:
        imports: modules to import first; one that fails is an error of whatever is asked.
    """

    def __init__(self, imports: Tuple[str, ...]) -> None:
        for module in imports:
            import_module(module)

    def versions(self) -> Dict[str, str]:
        """Installed packages."""
        return {each.metadata["Name"]: each.version for each in distributions()}
