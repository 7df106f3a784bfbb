"""Sphinx configuration. Build: sphinx-build -n -W -b html docs docs/_build/html"""

import sys
from pathlib import Path
from typing import Any

from neuroemu import __version__

sys.path.insert(0, str(Path(__file__).parent))
from target_pages import write_pages

project = "neuroemu"
author = "The neuroemu developers"
copyright = f"2026, {author}"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"neuroemu {release}"

myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3
math_eqref_format = "({number})"

nitpick_ignore = [("py:exc", "FormatError")]  # raised by Format, and not a public name

default_role = "code"  # single backticks in docstrings name things, not links
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types, with shapes and units
napoleon_google_docstring = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Source", "notes_style")]

doctest_test_doctest_blocks = ""  # only the blocks marked as doctest; pytest runs the docstrings


def setup(app: Any) -> None:
    """Write the pages of the targets before anything is read."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir)))
