"""Words for people: gettext catalogues and the one function that reads them."""
