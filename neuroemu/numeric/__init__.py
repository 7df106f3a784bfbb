"""Fixed-point semantics: formats, sites, the operations at a site, random bits."""
