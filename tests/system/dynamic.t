#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ram: 512M  time: 120
"""Programs of the distribution as they are, with their libraries: ls, bash, perl and python; sort, xz and python with threads."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import done, equal, run

status, output, errors = run("scripts/run", "/bin/ls", "-ln", "/init", "/etc/passwd")
equal((status, errors), (0, ""), "ls")
equal([line.split()[0] for line in output.decode().splitlines()], ["-rw-r--r--", "-rwxr-xr-x"], "ls shows two files")

script = """a=(x y z); echo ${#a[@]} "${a[*]^^}"; (echo deep; exit 3) | { read -r word; echo "got $word"; }; echo ${PIPESTATUS[*]}
for i in {1..20}; do (exit $i) & done; wait; trap 'echo caught' USR1; kill -USR1 $$; printf '%q\\n' 'a b'; echo $((2**40))
exec 3<>/tmp/f; echo hello >&3; cat /tmp/f; kill -9 $BASHPID"""
status, output, errors = run("scripts/run", "--file", "/bin/cat:/bin/cat", "/bin/bash", "-c", script)
equal(output.decode(), "3 X Y Z\ngot deep\n3 0\ncaught\na\\ b\n1099511627776\nhello\n", "bash: arrays, pipelines, jobs, traps, files")
equal(status, 128 + 9, "and its end by a signal")

status, output, errors = run("scripts/run", "/usr/bin/perl", "-e", """
    my $pid = open(my $child, '-|') // die; unless ($pid) { print 'x' x 100000; exit 5 }
    local $/; my $text = <$child>; close $child; printf "%d %d\\n", length $text, $? >> 8;
    my @words = map { $_ * $_ } 1 .. 100000; print "$words[-1]\\n";""")
equal((status, output.decode(), errors), (0, "100000 5\n10000000000\n", ""), "perl: a child behind a pipe, an array")

PYTHON = "/usr/bin/python3"     # the distribution's: another one may have brought half a gigabyte of packages
_, library, _ = run(PYTHON, "-c", "import sysconfig; print(sysconfig.get_paths()['stdlib'], end='')")
library = library.decode()
status, output, errors = run("scripts/run", "--mem", "512M", "--file", f"{library}:{library}", PYTHON, "-c", """
import mmap, os, resource, signal, subprocess, sys
memory = mmap.mmap(-1, 64 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for at in range(0, 1000 * 4096, 4096): memory[at] = 1
print(1000 <= resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before <= 1010)
pid = os.fork()
if not pid:
    memory[0] = 2
    os.kill(os.getpid(), signal.SIGTERM)
print(os.waitpid(pid, 0)[1], memory[0])
print(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True).stdout)
try: mmap.mmap(-1, 1 << 46)
except OSError as error: print(error.errno)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, 0.01); print(signal.sigwait([signal.SIGALRM]))
""")
equal((status, output.decode().splitlines(), errors),
      (0, ["True", "15 2", "b'42\\n'", "12", "14"], ""), "python: mmap, fork, subprocess, limits, signals")

# ---------------------------------------------------------------- threads

sort = """for ((i = 0; i < 60000; i++)); do echo $((i * 7919 % 60013)); done > /tmp/n
/usr/bin/sort -n --parallel=4 -S 1M /tmp/n > /tmp/s && /usr/bin/sort -n -c /tmp/s && /bin/cat /tmp/s | { read -r first; echo $first; }
/bin/cat /tmp/n | /usr/bin/xz -T2 --block-size=64KiB -1 > /tmp/x && /usr/bin/xz -T2 -dc /tmp/x | /usr/bin/cmp - /tmp/n && echo same"""
files = [option for path in ("/bin/cat", "/usr/bin/sort", "/usr/bin/xz", "/usr/bin/cmp") for option in ("--file", f"{path}:{path}")]
status, output, errors = run("scripts/run", "--mem", "512M", *files, "/bin/bash", "-c", sort)
equal((status, output.decode(), errors), (0, "0\nsame\n", ""), "sort --parallel, xz -T2")

status, output, errors = run("scripts/run", "--mem", "512M", "--file", f"{library}:{library}", PYTHON, "-c", """
import concurrent.futures, os, queue, signal, subprocess, sys, threading, time
total, lock = 0, threading.Lock()
def add(n):
    global total
    for _ in range(n):
        with lock: total += 1
with concurrent.futures.ThreadPoolExecutor(8) as pool: list(pool.map(add, [1000] * 16))
print(total)
channel = queue.Queue()
threads = [threading.Thread(target=lambda i=i: channel.put((i, threading.get_native_id()))) for i in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
got = [channel.get() for _ in threads]
print(sorted(i for i, _ in got) == list(range(20)), os.getpid() not in [number for _, number in got])
event, seen = threading.Event(), []
threading.Thread(target=lambda: seen.append(event.wait(10))).start()
time.sleep(0.05); event.set()
signal.signal(signal.SIGUSR1, lambda *_: seen.append('signal'))
sender = threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGUSR1)); sender.start(); sender.join()
time.sleep(0.05)
print(sorted(map(str, seen)))
out = []
runner = threading.Thread(target=lambda: out.append(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True).stdout))
runner.start(); runner.join(); print(out)
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""")
equal((status, output.decode().splitlines(), errors),
      (0, ["16000", "True True", "['True', 'signal']", "[b'42\\n']"], ""), "python: threads, a pool, queues, a signal, a child of a thread")
done()
