import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';

/** The script for mongosh, run against a stand-in that answers as a member would. */
const SCRIPT = readFileSync(resolve(import.meta.dirname, '../../../deploy/mongo-init.js'), 'utf8');
const MEMBERS = ['mongo-1:27017', 'mongo-2:27017', 'mongo-3:27017'];

interface Member {
  name: string;
  stateStr: string;
}

class Quit extends Error {}

interface Options {
  /** The members that the set has already, or undefined before it is started. */
  readonly members?: readonly string[];
  /** Seconds until a primary is elected. */
  readonly electionSeconds?: number;
  readonly statusError?: string;
}

function run({ members, electionSeconds = 3, statusError }: Options) {
  let set: Member[] | undefined = members?.map((name) => ({ name, stateStr: 'SECONDARY' }));
  let seconds = 0;
  const commands: string[] = [];
  const printed: string[] = [];
  const adminCommand = (command: Record<string, { members: { host: string }[] }>) => {
    const [name = ''] = Object.keys(command);
    commands.push(name);
    if (statusError !== undefined) {
      throw Object.assign(new Error(statusError), { codeName: statusError });
    }
    if (name === 'replSetInitiate') {
      set = command[name]?.members.map(({ host }) => ({ name: host, stateStr: 'STARTUP' }));
      return { ok: 1 };
    }
    if (set === undefined) throw Object.assign(new Error('x'), { codeName: 'NotYetInitialized' });
    if (seconds >= electionSeconds) set[0] = { name: set[0]?.name ?? '', stateStr: 'PRIMARY' };
    return { ok: 1, members: set };
  };
  const context = {
    db: { adminCommand },
    print: (line: string) => printed.push(line),
    sleep: (ms: number) => {
      seconds += ms / 1_000;
    },
    quit: () => {
      throw new Quit();
    },
  };
  try {
    runInNewContext(SCRIPT, context);
    return { quit: false, commands, printed, set };
  } catch (error) {
    if (!(error instanceof Quit)) throw error;
    return { quit: true, commands, printed, set };
  }
}

const initiations = (commands: readonly string[]): number =>
  commands.filter((name) => name === 'replSetInitiate').length;

describe('deploy/mongo-init.js', () => {
  it('starts a new set with its three members and waits for a primary', () => {
    const { quit, commands, printed, set } = run({});
    expect([quit, initiations(commands)]).toEqual([false, 1]);
    expect(set?.map(({ name }) => name)).toEqual(MEMBERS);
    expect(printed.at(-1)).toBe('rs0 has a primary');
  });

  it('leaves a set alone that has been started before', () => {
    const { quit, commands, printed } = run({ members: MEMBERS.toReversed() });
    expect([quit, initiations(commands)]).toEqual([false, 0]);
    expect(printed).toEqual(['rs0 has a primary']);
  });

  it('refuses a set of other members instead of changing it', () => {
    const { quit, commands, printed } = run({ members: ['other:27017'] });
    expect([quit, initiations(commands)]).toEqual([true, 0]);
    expect(printed[0]).toContain('other:27017');
  });

  it('gives up when no primary comes', () => {
    const { quit, printed } = run({ electionSeconds: 1_000 });
    expect([quit, printed.at(-1)]).toEqual([true, 'no primary after 90 seconds']);
  });

  it('does not take another error for a set that was never started', () => {
    expect(() => run({ statusError: 'Unauthorized' })).toThrow('Unauthorized');
  });
});
