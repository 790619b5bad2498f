"""The most anonymous memory that a command ever holds: what file pages and VmHWM do not tell."""
import re
import subprocess
import sys
import time


def anonymous(pid, field="RssAnon"):
    """Bytes now, 0 when the process is gone. RssShmem: of memory in common with other processes."""
    try:
        with open(f"/proc/{pid}/status") as f:
            found = re.search(rf"^{field}:\s+(\d+) kB", f.read(), re.M)
        return int(found[1]) * 1024 if found else 0
    except OSError:
        return 0


def peak(command, interval=0.005, **options):
    """Runs it, looking again and again: (bytes, exit status)."""
    process = subprocess.Popen(command, **options)
    most = 0
    while process.poll() is None:
        most = max(most, anonymous(process.pid))
        time.sleep(interval)
    return most, process.returncode


if __name__ == "__main__":
    most, status = peak(sys.argv[1:])
    print(f"{most / 2**20:.1f} MiB of anonymous memory at most")
    sys.exit(status)
