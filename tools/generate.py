"""Makes every generated file again: ``make generate``."""

from __future__ import annotations

import importlib
import pkgutil

import tools


def main() -> None:
    """Runs ``main()`` of each ``tools.generate_*`` module, in the order of their names."""
    for module in sorted(pkgutil.iter_modules(tools.__path__), key=lambda found: found.name):
        if module.name.startswith("generate_"):
            print(module.name.removeprefix("generate_"))
            importlib.import_module(f"tools.{module.name}").main()


if __name__ == "__main__":
    main()
