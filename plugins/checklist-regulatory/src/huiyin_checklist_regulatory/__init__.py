"""The plugin checklist_regulatory."""
