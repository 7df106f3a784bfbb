"""Number formats from data: what the registers of a float run hold, and formats that hold it."""
