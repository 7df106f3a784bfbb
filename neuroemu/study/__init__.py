"""Studies: many points of many trials, decided one after the other, kept, resumed and searched."""
