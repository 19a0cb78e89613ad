"""From the predictions of several methods to one HTML page."""
