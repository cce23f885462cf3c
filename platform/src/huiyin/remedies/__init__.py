"""What the firm will do about it: plans, approvals, measures."""
