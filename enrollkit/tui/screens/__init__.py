"""The screens, one a file: each knows the kit and dismisses with a typed value."""
