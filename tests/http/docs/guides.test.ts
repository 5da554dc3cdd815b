import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { readGuides } from '../../../api/docs/guides.ts';
import { ADMIN_KEY, useApi } from '../../support/api.ts';
import { type GuideBlock, blocksOf, notShown } from '../../support/guide-blocks.ts';

/** Whoever copies the commands of a guide gets what the guide shows. */
const api = useApi({ sagas: true });

/** curl says by its exit code that it was refused, and shows the answer all the same. */
const PRELUDE = 'set -eo pipefail\ncurl() { command curl --fail-with-body "$@"; }\n';
const REFUSED = 22;
const MARK = '@@end-of-block@@';

interface Ran {
  readonly code: number | null;
  /** What each block printed. */
  readonly printed: readonly string[];
  readonly errors: string;
}

/** All blocks in one shell, as in a terminal: what one sets the next one has. */
async function run(blocks: readonly GuideBlock[]): Promise<Ran> {
  const script = blocks.map(({ commands, isRefused }) =>
    isRefused
      ? `set +e\n${commands}\n[ $? = ${REFUSED} ] || { echo "was not refused"; exit 99; }\nset -e`
      : commands,
  );
  const shell = spawn('bash', ['-s'], {
    env: {
      PATH: process.env['PATH'],
      URL: api.url,
      KEY: ADMIN_KEY,
      HOOK: 'https://93.184.215.14/hook',
    },
  });
  shell.stdin.end(PRELUDE + script.map((part) => `${part}\necho; echo ${MARK}\n`).join(''));
  const [out, errors, code] = await Promise.all([
    text(shell.stdout),
    text(shell.stderr),
    new Promise<number | null>((resolve) => shell.once('close', resolve)),
  ]);
  return { code, errors, printed: out.split(MARK).map((part) => part.trim()) };
}

describe.each(readGuides())('$title', ({ text: guide }) => {
  it('does what it says', async () => {
    const blocks = blocksOf(guide);
    expect(blocks.length).toBeGreaterThan(0);
    const { code, printed, errors } = await run(blocks);
    expect({ code, errors, printed: code === 0 ? [] : printed }).toEqual({
      ...{ code: 0, printed: [] },
      errors,
    });
    for (const [index, { shown, commands }] of blocks.entries()) {
      if (shown === undefined) continue;
      const actual: unknown = JSON.parse(printed[index] ?? '');
      expect(notShown(shown, actual), commands).toBeUndefined();
    }
  }, 60_000);
});
