"""A warm process that forks a child for each command: it has imported torch, pandas and matplotlib already.

To start an interpreter and import them takes seconds of a core, a fork takes milliseconds. The workflow starts the warm
process and names its socket in the environment; `python -m fgan` asks it, and does the work itself where none answers.
"""

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings

ADDRESS = "FGAN_WARM"  # the environment variable with the path of the socket
# No module of this repository is among them, because a job runs the code as it stands when the job starts.
FIRST = ("numpy", "torch", "pandas", "pyarrow.parquet")
IDLE = (
    "torch.utils.flop_counter", "jsonschema", "scipy.stats", "seaborn",
    "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_agg", "fontTools.subset", "PIL.PngImagePlugin",
    "pyarrow.dataset",
)  # fmt: skip
KILLED = 137  # exit status of a command whose process was killed


@contextlib.contextmanager
def process(record):
    """Keeps a warm process for the commands that are started in this block; it dies with the process that called."""
    with contextlib.ExitStack() as stack:
        # A short path: that of a socket has at most a hundred characters.
        path = f"{stack.enter_context(tempfile.TemporaryDirectory(prefix='fgan-'))}/warm"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(64)
            server = subprocess.Popen(
                [sys.executable, "-m", "fgan.jobs.warm", str(listener.fileno()), str(record)],
                stdin=subprocess.PIPE,  # its end tells the warm process that this one has ended
                pass_fds=[listener.fileno()],
                start_new_session=True,  # Ctrl-C reaches the commands, and through them their children
            )
        stack.callback(server.wait)
        stack.callback(server.stdin.close)
        os.environ[ADDRESS] = path
        stack.callback(os.environ.pop, ADDRESS)
        yield


def workflow():
    """Whether this command is a job of a workflow."""
    return ADDRESS in os.environ


def ask(words):
    """Exit status of the command `words`, executed by a child of the warm process; None where there is none."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.environ[ADDRESS])
        except (KeyError, OSError):
            return None
        request = json.dumps([words, os.getcwd(), dict(os.environ)]).encode() + b"\n"
        sent = socket.send_fds(connection, [request], [0, 1, 2])
        connection.sendall(request[sent:])
        answer = connection.recv(1)
    return answer[0] if answer else KILLED


def serve(listener, record):
    """Forks a child for each request, until standard input ends; returns in the child, with (connection, request)."""
    from fgan.jobs import times

    clock = times.Clock()
    for name in FIRST:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    # Python 3.12 and later warn of the threads of OpenBLAS and Arrow, which both start theirs anew in a child.
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    todo = list(IDLE)
    while True:
        ready = select.select([listener, sys.stdin], [], [], 0 if todo else None)[0]
        if sys.stdin in ready:
            return None
        if listener in ready:
            connection = listener.accept()[0]
            if os.fork() == 0:
                return connection
            connection.close()
        elif todo:
            with contextlib.suppress(ImportError):
                importlib.import_module(todo.pop(0))
            if not todo:
                clock.lap("import")
                clock.write(record, "warm process")


def work(connection):
    """Executes the request of a connection as the command would have done itself; returns its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, files, *_ = socket.recv_fds(connection, 2**16, 3)
    while not text.endswith(b"\n"):
        text += connection.recv(2**16)
    words, folder, environment = json.loads(text)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.environ[ADDRESS] = ""  # the command must not ask again

    def follow():
        # The command was killed, so this process, which does its work, dies as well.
        connection.recv(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=follow, daemon=True).start()
    sys.argv = ["fgan", *words]
    try:
        runpy.run_module("fgan", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as waiting:
        asked = serve(waiting, sys.argv[2])
    if asked:
        status = work(asked)
        sys.stdout.flush()
        sys.stderr.flush()
        asked.sendall(bytes([status]))
        os._exit(status)  # at once, because the command ends now, and `follow` would take that for its death
