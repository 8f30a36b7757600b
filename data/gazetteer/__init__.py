"""The gazetteer: states and their names, people, groups, phrases and words that name no state."""
