"""The researcher plans: details, conditions, blocks, team, links; opens and closes."""
