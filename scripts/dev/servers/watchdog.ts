import { spawn, type ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Kills what we started when we die without stopping it: a crash, an uncaught error, kill -9. It is a
 * one-megabyte shell that reads from a pipe of ours; the kernel closes the pipe when we are gone,
 * however that came about, and then the shell ends every process group that it was told of.
 */
export type Watchdog = {
  /** Guards the process group led by `pid`. */
  guard(pid: number): void;
  /** The group ended by itself, and its number may soon be somebody else's. */
  release(pid: number): void;
};

/**
 * SIGCONT first, since a stopped process acts on no other signal than SIGKILL. The signals of a
 * terminal are ignored: the watchdog has to outlive the Ctrl-C that ends us.
 */
const SCRIPT = `
trap '' HUP INT TERM
groups=
while read -r verb group; do
  case $verb in
    guard) groups="$groups $group" ;;
    release)
      kept=
      for each in $groups; do [ "$each" = "$group" ] || kept="$kept $each"; done
      groups=$kept ;;
  esac
done
tell() { for each in $groups; do kill -s "$1" -- "-$each" 2>/dev/null; done; }
tell CONT
tell TERM
waits=0
while [ $waits -lt 50 ]; do
  left=
  for each in $groups; do kill -s 0 -- "-$each" 2>/dev/null && left=1; done
  [ -n "$left" ] || exit 0
  sleep 0.1
  waits=$((waits + 1))
done
tell KILL
`;

/** One may guard any number of groups; the shell runs only while there is one. */
export function createWatchdog(): Watchdog {
  const guarded = new Set<number>();
  let shell: ChildProcess | undefined;
  return Object.freeze({
    guard: (pid: number) => {
      guarded.add(pid);
      shell ??= spawnShell();
      shell.stdin?.write(`guard ${String(pid)}\n`);
    },
    release: (pid: number) => {
      if (!guarded.delete(pid)) return;
      shell?.stdin?.write(`release ${String(pid)}\n`);
      if (guarded.size > 0) return;
      shell?.stdin?.end();
      shell = undefined;
    },
  });
}

function spawnShell(): ChildProcess {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'sluice-watchdog'], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // It ends with us, so it must not be what keeps us from ending.
  shell.unref();
  if (shell.stdin instanceof Socket) shell.stdin.unref();
  // The pipe of a watchdog that somebody killed breaks. Without it we still stop in good order.
  shell.stdin.on('error', () => undefined);
  shell.on('error', () => undefined);
  return shell;
}
