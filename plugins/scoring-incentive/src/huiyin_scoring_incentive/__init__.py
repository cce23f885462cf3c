"""The plugin scoring_incentive."""
