"""Letters, visits and transfers: what comes on paper, and who may speak for whom."""
