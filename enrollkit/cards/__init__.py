"""Cards: the signed claim-169 code, the layout, the file that is printed."""
