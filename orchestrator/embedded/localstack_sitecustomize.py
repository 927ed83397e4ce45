"""Copied into LocalStack's environment as `sitecustomize.py`, where Python imports it at every start.

LocalStack binds every IPv4 interface whatever GATEWAY_LISTEN says, and builds its JSONPath parser anew for every path
(25 ms each), which makes state machines three times slower.
"""

import functools

# None of these is installed where this file is checked, only where it runs.
import jsonpath_ng  # type: ignore[import-not-found]
import jsonpath_ng.ext  # type: ignore[import-not-found]
from twisted.internet import endpoints  # type: ignore[import-not-found]

endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
jsonpath_ng.parse = functools.lru_cache(4096)(jsonpath_ng.parse)
jsonpath_ng.ext.parse = functools.lru_cache(4096)(jsonpath_ng.ext.parse)
