"""Whom TLS trusts: the system's certificate store, in which a hospital keeps its own authorities too."""

from __future__ import annotations

import ssl


def trusted() -> ssl.SSLContext:
    """TLS settings that verify certificates and names against the system's store.

    OpenSSL's own ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name another store, as everywhere.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
