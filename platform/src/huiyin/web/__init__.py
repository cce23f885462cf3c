"""The web toolkit: routes with permissions, pages and fragments, forms, errors."""
