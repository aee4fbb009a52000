"""The program that bundles carry: one file, for Python 3.8 and its library alone."""

from __future__ import annotations

import ast
import sys

from media.bundle.program import verify_program


def test_the_program_is_of_python_3_8_and_needs_nothing_but_its_library() -> None:
    tree = ast.parse(verify_program(), feature_version=(3, 8))
    imported = {name.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import)
                for name in node.names}
    imported |= {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names
    assert str(ast.get_docstring(tree)).startswith("Verify this evidence bundle")


def test_the_program_calls_nothing_that_came_after_python_3_8() -> None:
    called = {node.func.attr for node in ast.walk(ast.parse(verify_program()))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}
    assert not called & {"removeprefix", "removesuffix", "bit_count", "file_digest", "is_relative_to", "batched"}
