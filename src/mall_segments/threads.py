"""Threads of numpy's sums; those of the engine are its own."""

from threadpoolctl import threadpool_limits

# The threads of a small sum mostly wait for each other, which takes processor time too, and sums of
# several threads differ in their last digits.
on_one_thread = threadpool_limits.wrap(limits=1)
