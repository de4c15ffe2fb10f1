"""Where stylesheets and scripts are served from: compressed, under names that hold a hash of their content."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class Storage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # whitenoise has no types
    """Also the names by which one script imports another are those with the hash."""

    support_js_module_import_aggregation = True
