"""Test machines in namespaces, and a small Slurm over them: no system services, nothing seen or reached from outside.

Needs root, iproute2, util-linux; Slurm needs munge, slurmctld, slurmd and slurm-client. Read from Slurm 22.05's manuals."""

import os
import secrets
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ["ip", "nsenter", "unshare", "munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "runuser"]

SLURM_CONF = """
ClusterName=loopback
SlurmctldHost=node1(192.0.2.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=5
MinJobAge=3600
MessageTimeout=60
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
PriorityType=priority/basic
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=60 State=UP OverTimeLimit=0
TmpFS=/run/nodetmp
"""


def missing():
    """Names the first thing that a cluster needs and that is not here; None if all is."""
    if os.geteuid() != 0:
        return "root"
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for program in PROGRAMS:
        if shutil.which(program, path=path) is None:
            return program
    return None


class Cluster:
    """Machines node1, node2, … with Slurm; to be used in a with statement.

    machines: how many. cpus: processors that Slurm believes each to have."""

    def __init__(self, machines, cpus=2):
        self.names = [f"node{index + 1}" for index in range(machines)]
        self.cpus = cpus
        self.tag = "b" + secrets.token_hex(3)
        self.folder = tempfile.mkdtemp(prefix="cluster-")
        # Slurm's processes and munged run as different users.
        os.chmod(self.folder, 0o755)
        self.holders = {}
        self.pmix = None

    def __enter__(self):
        try:
            self._copy_pmix()
            self._machines()
            self._slurm()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        for pattern in ("slurmctld.pid", *(f"slurmd-{name}.pid" for name in self.names), "munge/pid"):
            try:
                with open(os.path.join(self.folder, pattern), encoding="ascii") as file:
                    os.kill(int(file.read()), 15)
            except (OSError, ValueError):
                pass
        for holder in self.holders.values():
            holder.kill()
            holder.wait()
        for name in ["hub", *self.names]:
            subprocess.run(["ip", "netns", "del", f"{self.tag}-{name}"], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def on(self, name, *command):
        """A command line that runs a command on a machine."""
        return ["nsenter", "-t", str(self.holders[name].pid), "-n", "-m", "-u", "--", *command]

    def run(self, *command, on="node1", check=True):
        """Runs a command on a machine to its end, and returns what it printed."""
        done = subprocess.run(self.on(on, *command), env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False, timeout=120)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
        return done.stdout

    def environment(self):
        """What Slurm's commands need."""
        return {**os.environ, "SLURM_CONF": os.path.join(self.folder, "slurm.conf"),
                "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}

    def said(self, job):
        """The last lines of Slurm's own log that name a job."""
        with open(os.path.join(self.folder, "slurmctld.log"), encoding="utf-8", errors="replace") as file:
            return [line.strip() for line in file if f"JobId={job}" in line][-40:]

    def has_pmix(self):
        """Whether srun --mpi=pmix can work."""
        return self.pmix is not None and "pmix" in self.run("sh", "-c", "srun --mpi=list 2>&1")

    def _copy_pmix(self):
        # Slurm's plugin loads PMIx by a name that only the package for developers has: the machines see a copy with that name.
        known = subprocess.run(["ldconfig", "-p"], env=self.environment(), stdout=subprocess.PIPE, text=True, check=False).stdout
        for line in known.split("\n"):
            if line.strip().startswith("libpmix.so.2 "):
                self.pmix = os.path.dirname(os.path.realpath(line.split()[-1]))
                shutil.copytree(self.pmix, f"{self.folder}/pmix", symlinks=True)
                if not os.path.lexists(f"{self.folder}/pmix/libpmix.so"):
                    os.symlink("libpmix.so.2", f"{self.folder}/pmix/libpmix.so")
                return

    def _machines(self):
        hosts = os.path.join(self.folder, "hosts")
        with open(hosts, "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n")
            for index, name in enumerate(self.names):
                file.write(f"192.0.2.{index + 1} {name}\n")

        def ip(*arguments):
            subprocess.run(["ip", *arguments], check=True)

        hub = f"{self.tag}-hub"
        ip("netns", "add", hub)
        ip("-n", hub, "link", "add", "br0", "type", "bridge")
        ip("-n", hub, "link", "set", "br0", "up")
        for index, name in enumerate(self.names):
            space = f"{self.tag}-{name}"
            ip("netns", "add", space)
            ip("-n", space, "link", "add", "eth0", "type", "veth", "peer", "name", f"v{index}", "netns", hub)
            ip("-n", hub, "link", "set", f"v{index}", "master", "br0")
            ip("-n", hub, "link", "set", f"v{index}", "up")
            ip("-n", space, "addr", "add", f"192.0.2.{index + 1}/24", "dev", "eth0")
            ip("-n", space, "link", "set", "eth0", "up")
            ip("-n", space, "link", "set", "lo", "up")
            ready = os.path.join(self.folder, f"{name}.ready")
            pmix = "" if self.pmix is None else f"mount --bind {self.folder}/pmix {self.pmix}; "
            script = (f"hostname {name}; mount --bind {hosts} /etc/hosts; {pmix}mount -t tmpfs tmpfs /dev/shm; "
                      f"mkdir -p /run/nodetmp; mount -t tmpfs tmpfs /run/nodetmp; touch {ready}; exec sleep infinity")
            self.holders[name] = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{space}", "unshare", "-m", "-u", "--propagation", "private", "sh", "-c", script],
                stdout=subprocess.DEVNULL)
            wait_for(lambda path=ready: os.path.exists(path), 10, f"{name} does not start")

    def _slurm(self):
        munge = os.path.join(self.folder, "munge")
        os.mkdir(munge, 0o755)
        key = os.path.join(munge, "key")
        with open(key, "wb") as file:
            file.write(secrets.token_bytes(1024))
        os.chmod(key, 0o400)
        shutil.chown(key, "munge")
        shutil.chown(munge, "munge")
        for name in ["state", *(f"spool-{name}" for name in self.names)]:
            os.mkdir(os.path.join(self.folder, name))
        nodes = "\n".join(f"NodeName={name} NodeAddr=192.0.2.{index + 1} CPUs={self.cpus} RealMemory=1000"
                          for index, name in enumerate(self.names))
        with open(os.path.join(self.folder, "slurm.conf"), "w", encoding="ascii") as file:
            file.write(SLURM_CONF.format(folder=self.folder, nodes=nodes))
        subprocess.run(
            ["runuser", "-u", "munge", "--", "munged", f"--socket={munge}/socket", f"--key-file={key}", f"--pid-file={munge}/pid",
             f"--log-file={munge}/log", f"--seed-file={munge}/seed", "--force"], env=self.environment(), check=True)
        self.run("slurmctld")
        for name in self.names:
            self.run("slurmd", "-N", name, on=name)
        wait_for(lambda: self.run("sinfo", "-h", "-o", "%D %t", check=False).split() == [str(len(self.names)), "idle"], 30,
                 "the machines of the cluster do not come up")


class QueuedAgain:
    """A job that puts itself back into the queue. Slurm lets it wait there for two minutes; this does not. At once it could not
    start: what it was allowed on its machine has just been revoked.

    job: its number; for a task of an array "ARRAY_INDEX", since the last task's number is that of the whole array.
    changes: what scontrol changes of the job before it starts again."""

    SECONDS = 5

    def __init__(self, cluster, job, *changes):
        self.cluster = cluster
        self.job = job
        self.changes = changes
        self.since = None

    def wait(self, holds, seconds):
        """Waits until the job has ended, which holds says, and lets it start again on the way."""
        try:
            wait_for(lambda: self.look() and holds(), seconds, "the job does not end")
        except RuntimeError as error:
            told = "\n".join(self.cluster.said(self.job.split("_", maxsplit=1)[0]))
            raise RuntimeError(f"{error}\n{self.look()}\n{told}") from error

    def look(self):
        """Lets the job start once it has been in the queue again for a while. Returns what Slurm shows of the job."""
        text = self.cluster.run("scontrol", "show", "job", self.job)
        if "JobState=PENDING" not in text or "Restarts=0" in text:
            self.since = None
        elif self.since is None:
            self.since = time.monotonic()
        elif time.monotonic() - self.since > self.SECONDS:
            self.cluster.run("scontrol", "update", f"JobId={self.job}", *self.changes, "StartTime=now", check=False)
        return text


def wait_for(holds, seconds, failure):
    """Waits until something holds; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(failure)
        time.sleep(0.05)
