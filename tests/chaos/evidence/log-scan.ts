import { existsSync, readFileSync } from 'node:fs';
import type { LogFinding } from '../checker/evidence.ts';

const UNHANDLED = /unhandled|uncaught/i;
/** A stack on standard error, beside the JSON lines: something that nobody caught. */
const CRASH = /^(?:\w*Error: |node:internal|Node\.js v\d)/;
const LINE_CHARS_MAX = 400;
const FINDINGS_MAX = 20;

/** What no log may have. Pure but for reading the file. */
export function scanLog(
  process: string,
  file: string,
  secrets: readonly string[],
): readonly LogFinding[] {
  if (!existsSync(file)) return [];
  return findInLog(process, readFileSync(file, 'utf8'), secrets);
}

export function findInLog(
  process: string,
  text: string,
  secrets: readonly string[],
): readonly LogFinding[] {
  const findings: LogFinding[] = [];
  for (const line of text.split('\n')) {
    const secret = secrets.find((one) => line.includes(one));
    const shown = line.slice(0, LINE_CHARS_MAX);
    if (secret !== undefined) {
      findings.push({ process, kind: 'secret', line: shown.replaceAll(secret, '…') });
    } else if (UNHANDLED.test(line)) findings.push({ process, kind: 'unhandled', line: shown });
    else if (CRASH.test(line)) findings.push({ process, kind: 'crash', line: shown });
    if (findings.length >= FINDINGS_MAX) break;
  }
  return findings;
}
