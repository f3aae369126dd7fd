"""What runs in the browser: the mathematics of the pages, and the playground (M2, M7-M10).

``maths.js`` is the one file that computes there; every page puts it into its own HTML, so that a page is
one file that opens from disk.
"""

from eigenshrink.browser.playground import playground, source, write_playground

__all__ = ["playground", "source", "write_playground"]
