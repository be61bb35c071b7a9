"""What holds for all tests: the outside world is shut out, and examples do not change by chance."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The same examples every time; no deadline, for the machine may be busy.
settings.register_profile("asyncgen", deadline=None, derandomize=True)
settings.load_profile("asyncgen")

_OUTSIDE = ("OPENAI_API_KEY", "http_proxy", "https_proxy", "all_proxy", "SSL_CERT_FILE")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep keys and proxies of whoever runs the tests out of them."""
    for name in _OUTSIDE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
