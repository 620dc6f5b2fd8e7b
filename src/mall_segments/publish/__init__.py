"""Write, audit, publish: build aside, check, and replace what BI reads in one step."""
