"""`make run`: start everything in order, keep it running, stop it in order.

Ctrl-C ends the stack within 4.5 seconds: beat, web and workers first, then the mail servers, PostgreSQL, Valkey. A child
that dies is started again. When the supervisor itself is killed, the kernel's death signal ends the children.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailsales.environment import ROOT
from mailsales.stack import banner, embedded, lock, ports, processes, state
from mailsales.stack.catalogues import compile_catalogues
from mailsales.stack.postgres import Postgres, PostgresUnavailable
from mailsales.stack.programs import Plan, Program
from mailsales.stack.sockets import SocketFolderTaken
from mailsales.stack.updates import UpdateFailed, Updates
from mailsales.stack.valkey import Valkey, ValkeyUnavailable

SECONDS_TO_START = 60.0
MOST_TOLD = 3  # failures of one program in a row; it is started again beyond that too, but the terminal keeps quiet
SECONDS_FOR_DEMO = 300.0
# After the workers, which have STOP_SECONDS and a little more, how long until each is gone, counted from there.
MAIL_SECONDS, POSTGRES_SECONDS, VALKEY_SECONDS = 0.3, 1.0, 1.2
FAILURES = (
    embedded.StackIsRunning,
    ports.PortTaken,
    PostgresUnavailable,
    ValkeyUnavailable,
    SocketFolderTaken,
    UpdateFailed,
)


class Stopped(Exception):
    """Somebody asked the stack to stop."""


@dataclass(frozen=True)
class Wishes:
    """What the environment says about the stack; empty where it says nothing."""

    var: Path
    host: str
    database_url: str
    redis_url: str
    port: str
    sandbox_port: str
    inbound_port: str
    stop_seconds: float
    is_production: bool


@dataclass
class Supervisor:
    wishes: Wishes
    ownership: embedded.Ownership
    running: list[Program] = field(default_factory=list)
    said: state.State | None = None
    is_interruptible: bool = True  # while something outside the loop is waited for

    def run(self) -> None:
        """Run until somebody asks for the end; raise one of `FAILURES` when the start fails."""
        try:
            self.listen()
            self.start()
            while True:
                self.wait(lambda: False, seconds=3_600)
        except Stopped:
            banner.say("Stopping …")
        finally:
            self.stop()

    # -- start -----------------------------------------------------------------------------------

    def start(self) -> None:
        banner.say("Starting PostgreSQL and Valkey …")
        compile_catalogues()
        services = self.start_services()
        held = self.ownership.owner.descriptor
        plan = self.plan(services)
        for name in Updates(self.wishes.var, held, services.database_url, plan.environment).run(
            "migrate", "collectstatic"
        ):
            banner.say(banner.UPDATED[name])
        self.begin(plan.web())
        self.tell(plan, services, is_ready=False)
        if not self.wait(lambda: self.is_up("web"), seconds=SECONDS_TO_START):
            banner.say(f"The web process does not answer yet; {self.wishes.var / 'log' / 'web.log'} may say why.")
        self.tell(plan, services, is_ready=True)
        banner.say(f"http://localhost:{plan.port} answers; starting the workers …")
        for program in (*plan.mail(), *plan.workers(), plan.beat()):
            self.begin(program)
        self.make_demo(plan)
        self.wait(lambda: all(self.is_up(program.name) for program in self.running), seconds=SECONDS_TO_START / 4)
        up = {program.name: self.is_up(program.name) for program in self.running}
        banner.show(
            self.wishes.var, port=plan.port, sandbox_port=plan.sandbox_port, up=up, is_given=bool(self.wishes.port)
        )

    def start_services(self) -> embedded.Services:
        """Start what the environment gives no address for."""
        wishes, held = self.wishes, self.ownership.owner.descriptor
        wanted: list[Valkey | Postgres] = [] if wishes.redis_url else [Valkey(wishes.var, held)]
        wanted += [] if wishes.database_url else [Postgres(wishes.var, held)]
        for service in wanted:
            service.prepare()
            program = Program(service.name, service.command(), service.log, held, answers(service))
            program.stop_signal = service.stop_signal
            self.begin(program)
        for service, program in zip(wanted, self.running, strict=True):
            if program.child:
                service.wait(program.child)
        found = {service.name: service.url for service in wanted}
        return embedded.Services(wishes.database_url or found["postgres"], wishes.redis_url or found["valkey"])

    def plan(self, services: embedded.Services) -> Plan:
        wishes = self.wishes
        if not self.ownership.is_fresh:
            self.wait(lambda: ports.is_free(int(wishes.port or 8000), wishes.host), seconds=2)
        port = self.port("PORT", 8000, wishes.port, host=wishes.host)
        sandbox = self.port("SANDBOX_PORT", 2525, wishes.sandbox_port, taken=frozenset({port}))
        inbound = self.port("INBOUND_PORT", 2526, wishes.inbound_port, taken=frozenset({port, sandbox}))
        environment = {
            **inherited(os.environ),
            "MAILSALES_VAR": str(wishes.var),
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "PORT": str(port),
            "SANDBOX_PORT": str(sandbox),
            "INBOUND_PORT": str(inbound),
        }
        held = self.ownership.owner.descriptor
        return Plan(wishes.var, held, wishes.host, port, sandbox, inbound, environment)

    def port(self, name: str, default: int, given: str, **where: Any) -> int:
        """Return a port; in production, where nobody reads the banner, the usual one is as good as named."""
        return ports.choose(name, default, given=given or (str(default) if self.wishes.is_production else ""), **where)

    def begin(self, program: Program) -> None:
        program.start()
        self.running.append(program)

    def tell(self, plan: Plan, services: embedded.Services, *, is_ready: bool) -> None:
        """Write what `manage.py` commands need to find the stack."""
        place = (services.database_url, services.redis_url, plan.port, plan.sandbox_port, plan.inbound_port)
        self.said = state.State(*place, pid=os.getpid(), is_ready=is_ready, pids=self.pids())
        state.write(self.wishes.var, self.said)

    def make_demo(self, plan: Plan) -> None:
        """Have the demo made once. It finds the stack by its state file: it refuses a DATABASE_URL of somebody's own."""
        wishes = self.wishes
        stamp = wishes.var / "run" / "demo.stamp"  # so that a demo which was removed stays so
        if wishes.database_url or wishes.is_production or (wishes.var / "demo.txt").exists() or stamp.exists():
            return
        banner.say("Making the demo …")
        environment = {
            name: value for name, value in plan.environment.items() if name not in ("DATABASE_URL", "REDIS_URL")
        }
        command = [sys.executable, str(ROOT / "manage.py"), "demo"]
        log = wishes.var / "log" / "demo.log"
        child = processes.spawn(command, log=log, lock=plan.lock, environment=environment)
        try:
            ended = self.wait(lambda: child.poll() is not None, seconds=SECONDS_FOR_DEMO)
        finally:
            if child.poll() is None:
                processes.kill_group(child)
        if ended and not child.returncode:
            stamp.touch()
        else:
            banner.say(f"The demo could not be made; {log} says why. Everything else works.")

    # -- watch -----------------------------------------------------------------------------------

    def listen(self) -> None:
        """Have signals wake the loop: the end of a child, and requests to stop."""
        self.waker, self.wakened = socket.socketpair()
        for end in (self.waker, self.wakened):
            end.setblocking(False)
        signal.set_wakeup_fd(self.wakened.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self.interrupt)

    def interrupt(self, number: int, frame: object) -> None:
        """Cut short a wait outside the loop; the loop itself reads the signal from its socket."""
        if self.is_interruptible and number != signal.SIGCHLD:
            self.is_interruptible = False
            raise Stopped

    def wait(self, is_done: Callable[[], bool], *, seconds: float) -> bool:
        """Keep everything running until the condition holds; return whether it did in time."""
        until = time.monotonic() + seconds
        while not is_done():
            if time.monotonic() > until:
                return False
            self.tend()
            if select.select([self.waker], [], [], self.pause())[0]:
                heard = self.waker.recv(64)
                if {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} & set(heard):
                    raise Stopped
        return True

    def pause(self) -> float:
        """Return how long the loop may sleep: short while anything is coming up, else until a signal."""
        is_quiet = self.said is not None and self.said.is_ready and all(program.child for program in self.running)
        return 1.0 if is_quiet else 0.05

    def tend(self) -> None:
        """Start again what has died and is due."""
        changed = False
        for program in self.running:
            if (how := program.bury()) and program.failures <= MOST_TOLD:
                banner.say(f"{program.name} {how}; starting it again. Its log: {program.log}")
            if program.child is None and time.monotonic() >= program.due:
                program.start()
                changed = True
        if changed and self.said:
            self.said = self.said.with_pids(self.pids())
            state.write(self.wishes.var, self.said)

    def is_up(self, name: str) -> bool:
        return any(program.name == name and program.answers() for program in self.running)

    def pids(self) -> dict[str, int]:
        return {program.name: program.child.pid for program in self.running if program.child}

    # -- stop ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """End everything in order; whoever is late is killed, and the ledger knows what that means."""
        state.remove(self.wishes.var)
        began = time.monotonic()
        workers_end = began + self.wishes.stop_seconds + 0.2
        programs = {program.name: program for program in self.running if program.child}
        last = [programs.pop(name, None) for name in ("postgres", "valkey")]
        mail = [programs.pop(name, None) for name in ("sandbox", "inbound")]
        end(list(programs.values()), by=workers_end)
        late = max(time.monotonic(), began)
        spare = max(workers_end - late, 0)
        end([program for program in mail if program], by=late + MAIL_SECONDS)
        for program, seconds in zip(last, (POSTGRES_SECONDS, VALKEY_SECONDS), strict=True):
            if program:
                end([program], by=late + spare + seconds)
        signal.set_wakeup_fd(-1)


def answers(service: Valkey | Postgres) -> Callable[[Program], bool]:
    return lambda _: service.answers()


def end(programs: list[Program], *, by: float) -> None:
    """Ask all of them to end, then wait for each until the time is up and kill the late ones."""
    for program in programs:
        if program.child and program.is_running():
            program.child.send_signal(program.stop_signal)
    for program in programs:
        if program.child:
            processes.await_end(program.child, within=by - time.monotonic())


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the children get of our environment: compiled modules make every start but the first much faster."""
    unwanted = ("PYTHONDONTWRITEBYTECODE", "MAILSALES_DIE_WITH_PARENT")
    return {name: value for name, value in environment.items() if name not in unwanted}


def supervise(wishes: Wishes) -> int:
    """Run the stack, or say where it already runs; return the exit status."""
    ownership = embedded.Ownership(wishes.var)
    try:
        if not first_come(ownership):
            return 0
        Supervisor(wishes, ownership).run()
    except FAILURES as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        ownership.release()
    return 0


def first_come(ownership: embedded.Ownership) -> bool:
    """Return whether the stack is ours to start; otherwise say where it runs already."""
    var = ownership.var
    until = time.monotonic() + SECONDS_TO_START
    is_told = False
    while not ownership.take():
        found = state.read(var)
        if found and found.owner != "stack" and not is_told:
            banner.say(f"Waiting for manage.py {found.owner}, which is using the database …")
            is_told = True
        if found and found.owner == "stack" and found.is_ready and lock.owner_lives(var):
            banner.say(f"Mailsales is already running at http://localhost:{found.port}")
            return False
        if not is_told and time.monotonic() > until:
            raise embedded.StackIsRunning(f"Another process holds {ownership.owner.path}, but no stack answers.")
        time.sleep(lock.STEP)
    return True
