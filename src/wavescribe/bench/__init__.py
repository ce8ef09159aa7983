"""`wavescribe bench`: measurements of quality, latency, cost and load, here and at other servers."""
