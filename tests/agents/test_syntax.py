"""Many threads may ask for syntax trees."""

from __future__ import annotations

import ast
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import agents.syntax
from agents.syntax import parsed


def test_threads_get_whole_trees() -> None:
    text = Path(agents.syntax.__file__).read_text(encoding="utf-8") * 20
    text = text.replace("from __future__ import annotations", "")
    whole = ast.dump(ast.parse(text))
    with ThreadPoolExecutor(8) as pool:
        assert {ast.dump(tree) for tree in pool.map(parsed, [text] * 64)} == {whole}
