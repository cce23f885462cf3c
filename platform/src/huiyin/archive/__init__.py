"""The register of closed complaints, and finding things in it."""
