"""Compiles the catalogue and its vectors when the package is built or installed for development."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalogue(BuildHookInterface):  # type: ignore[type-arg]
    """Writes ``catalogue.bin`` and ``vectors.safetensors``, which are not kept in version control."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files of the wheel are gathered."""
        root = Path(self.root)
        sys.path.insert(0, str(root))
        from ipguard.catalogue.build import COMPILED_NAME, build_folder
        from ipguard.catalogue.store import default_folder
        from ipguard.encoding.static import StaticEncoder
        from ipguard.evidence.table import TABLE, store_table

        compiled = build_folder(default_folder())
        compiled.write(default_folder() / COMPILED_NAME)
        bundle = root / "models" / "default"
        store_table(bundle / TABLE, StaticEncoder(bundle / "encoder"), compiled)
        build_data["artifacts"] += [f"ipguard/catalogue/data/{COMPILED_NAME}"]
        # An installation for development finds the bundle in the checkout.
        if version == "standard":
            build_data["force_include"][str(bundle)] = "ipguard/models/default"
