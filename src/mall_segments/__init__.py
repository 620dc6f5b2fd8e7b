"""Named, profiled and trustworthy customer segments in the warehouse."""
