"""The plugin survey_satisfaction."""
