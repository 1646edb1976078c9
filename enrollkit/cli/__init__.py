"""The `enrollkit` command, one file per subcommand."""
