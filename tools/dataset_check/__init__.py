"""The check of a data set: its report and the search for problems."""
