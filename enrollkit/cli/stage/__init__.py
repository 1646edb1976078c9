"""What ``enrollkit demo`` puts on stage: invented people, a server, a link that is cut."""
