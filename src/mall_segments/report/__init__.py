"""The report: one HTML file that shows the marts."""
