"""From data sets as they are published to the layout of the configs."""
