"""Settings of the docs site: `make docs` writes it to build/docs.

Sphinx with MyST and furo, rather than Material for MkDocs: MkDocs 1 has had no release since August 2024, the end of
its theme is announced for May 2027, and the successor is young. Sphinx is kept up, checks references and anchors by
itself, and furo loads nothing from other hosts.
"""

import posixpath
import re
import sys
from importlib.metadata import version as installed
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from commands import reference  # noqa: E402
from officeholders import table  # noqa: E402

project = "detente"
author = "The detente authors"
project_copyright = "The detente authors"
version = release = installed("detente")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
exclude_patterns = ["_*"]

default_role = "code"  # docstrings write names in single backticks
autodoc_member_order = "bysource"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 80

html_theme = "furo"
html_title = f"detente {version}"
html_copy_source = False
html_show_sphinx = False
html_use_index = False

#: Files that stand elsewhere in the repository and are pages here: links between them lead to the pages.
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "data/README.md": "data-card.md",
    "data/codebook/codebook.md": "codebook.md",
    "infer/linking/linking.md": "linking.md",
    "data/gazetteer/README.md": "tables.md",
    "models/detente-mini/README.md": "model-card.md",
    "models/detente-base/README.md": "model-card-base.md",
}


def _link(destination: str, folder: str) -> str:
    """Turn a link of an included file into one that holds in docs/."""
    path, _, anchor = destination.partition("#")
    if not path or ":" in path:
        return destination
    path = posixpath.normpath(posixpath.join(folder, path))
    return PAGES.get(path, posixpath.relpath(path, HERE.name)) + (f"#{anchor}" if anchor else "")


def _included(app: Sphinx, path: Path, _page: str, content: list[str]) -> None:
    folder = (Path(app.srcdir) / path).resolve().parent.relative_to(HERE.parent).as_posix()
    content[0] = re.sub(r"(?<=\]\()[^)\s]+(?=\))", lambda link: _link(link[0], folder), content[0])


def _read(_app: Sphinx, page: str, content: list[str]) -> None:
    if page == "commands":
        content[0] += reference()
    if page == "coverage":
        content[0] += table()


def setup(app: Sphinx) -> None:
    """Tell Sphinx of the two hooks above."""
    app.connect("include-read", _included)
    app.connect("source-read", _read)
