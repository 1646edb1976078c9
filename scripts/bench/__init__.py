"""Measurements that take minutes or a root shell, and the bad line they are made on."""
