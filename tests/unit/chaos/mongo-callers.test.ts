import { describe, expect, it } from 'vitest';
import { createCallerNames, isMember } from '../../chaos/cluster/mongo-callers.ts';

const nameCaller = createCallerNames([27_001, 27_002], (pid) => (pid === 42 ? 'api-1' : undefined));
const name = (text: string): string => nameCaller(Buffer.from(text, 'latin1'));

describe('who calls a member', () => {
  it.each([
    ['a process that was started here', '\0name\0api-42-00ff00ff\0', 'api-1'],
    ['one that nobody knows', '\0name\0worker-7-00ff\0', 'worker-7-00ff'],
    ['a member, by its port', 'internalClient\0hostInfo\0box:27002\0', 'mongo-1'],
    ['some member', 'driver\0name\0NetworkInterfaceTL', 'member'],
    ['somebody else', 'name\0chaos-reader', 'other'],
  ])('is told: %s', (_what, text, expected) => {
    expect(name(text)).toBe(expected);
  });

  it('tells members from clients', () => {
    expect(['mongo-0', 'member', 'api-1', 'other'].map(isMember)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
