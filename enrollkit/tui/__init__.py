"""The face of the kit: a Textual application that knows `Kit` and domain types, nothing below."""
