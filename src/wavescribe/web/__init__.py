"""The page: live captions in a browser. Static files, and what reads them."""
