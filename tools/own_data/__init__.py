"""From a folder of photographs and boxes to a config for it."""
