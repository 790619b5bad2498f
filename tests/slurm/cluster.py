"""A Slurm of one node in a scratch folder: munge, the controller and the node's daemon, without systemd. Everything that
was started ends with the context, whatever happened."""
import os
import re
import shutil
import signal
import socket
import subprocess
import time

CONF = """\
ClusterName=espalier
SlurmctldHost=localhost
SlurmctldPort={ctld}
SlurmdPort={slurmd}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CryptoType=crypto/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=5,bf_interval=5
SlurmdParameters=config_overrides
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
JobRequeue=1
KillWait=5
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.log
NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=60 State=UP
"""
PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel", "sinfo")


class NoCluster(Exception):
    """Slurm is not installed, or cannot run here."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Cluster:
    def __init__(self, root):
        self.root = root
        self.started = []
        self.env = {**os.environ, "SLURM_CONF": f"{root}/slurm.conf"}

    def __enter__(self):
        missing = [p for p in PROGRAMS if not shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin:/sbin")]
        if missing:
            raise NoCluster(f"{missing[0]} is not installed (./bootstrap check --slurm)")
        if os.getuid() != 0:
            raise NoCluster("the daemons need root")
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def daemon(self, *command):
        log = open(f"{self.root}/{os.path.basename(command[0])}.out", "w")
        path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        p = subprocess.Popen([shutil.which(command[0], path=path), *command[1:]], env=self.env, stdout=log, stderr=log,
                             stdin=subprocess.DEVNULL, cwd=self.root, start_new_session=True)
        self.started.append(p)

    def start(self):
        root = self.root
        os.chmod(root, 0o755)
        for folder in ("state", "spool"):
            os.makedirs(f"{root}/{folder}")
        host = socket.gethostname().split(".")[0]
        node = host if re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", host) else "node"
        with open(f"{root}/slurm.conf", "w") as f:
            f.write(CONF.format(root=root, ctld=free_port(), slurmd=free_port(), node=node, host=host))
        with open(f"{root}/munge.key", "wb") as f:
            f.write(os.urandom(128))
        os.chmod(f"{root}/munge.key", 0o600)
        self.daemon("munged", "--foreground", "--force", f"--socket={root}/munge.socket", f"--key-file={root}/munge.key",
                    f"--pid-file={root}/munged.pid", f"--log-file={root}/munged.log", f"--seed-file={root}/munged.seed")
        self.wait_for(lambda: os.path.exists(f"{root}/munge.socket"), "munged")
        self.daemon("slurmctld", "-D", "-i")
        self.daemon("slurmd", "-D", "-N", node)
        self.wait_for(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T", check=False), "slurmd")

    def wait_for(self, is_there, what, seconds=30):
        until = time.time() + seconds
        while not is_there():
            ended = [p for p in self.started if p.poll() is not None]
            if ended or time.time() > until:
                raise NoCluster(f"{what} does not start: {self.complaint()}")
            time.sleep(0.2)

    def complaint(self):
        lines = []
        for name in ("munged.out", "slurmctld.out", "slurmd.out", "slurmctld.log", "slurmd.log"):
            path = f"{self.root}/{name}"
            if os.path.exists(path):
                lines += [line.strip() for line in open(path, errors="replace") if re.search("error|fatal", line, re.I)]
        return lines[-1] if lines else "no reason given"

    def stop(self):
        """Jobs first, then the daemons, the last started first."""
        if len(self.started) == 3 and all(p.poll() is None for p in self.started):
            self.ask("scancel", "--user=root", check=False)
            until = time.time() + 20
            while self.ask("squeue", "-h", check=False).strip() and time.time() < until:
                time.sleep(0.5)
        for p in reversed(self.started):
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
                try:
                    p.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
        self.started = []

    def ask(self, *command, check=True):
        done = subprocess.run(command, env=self.env, text=True, capture_output=True, timeout=60)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout
