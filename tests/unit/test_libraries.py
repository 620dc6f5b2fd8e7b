import subprocess
import sys

from tests.waiting import LONGEST

# Sixteen threads at once, in a fresh interpreter, import what the Python models import.
PROGRAM = """
import threading
from mall_segments.libraries import load_libraries

barrier, failed = threading.Barrier(16), []

def load(number):
    barrier.wait()
    try:
        load_libraries()
        if number % 2:
            from scipy.cluster.hierarchy import ward
        else:
            from sklearn.cluster import AgglomerativeClustering
    except Exception as error:
        failed.append(error)

threads = [threading.Thread(target=load, args=(number,)) for number in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failed, failed
"""


def test_threads_that_import_at_once_find_whole_modules():
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=LONGEST)
