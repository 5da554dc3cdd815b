/**
 * Who opened a connection to a member, by its first message, `hello`: our processes put their pid
 * into the name of the application; a member names its host and port, or at least its driver.
 */
export function createCallerNames(
  memberPorts: readonly number[],
  nameOfPid: (pid: number) => string | undefined,
): (firstBytes: Buffer) => string {
  return (firstBytes) => {
    const text = firstBytes.toString('latin1');
    const own = /\b(?:api|worker)-(\d+)-[0-9a-f]+/.exec(text);
    if (own?.[1] !== undefined) return nameOfPid(Number(own[1])) ?? own[0];
    const isMember = /NetworkInterfaceTL|MongoDB Internal Client|internalClient/.test(text);
    if (!isMember) return 'other';
    const from = memberPorts.findIndex((port) => text.includes(`:${String(port)}`));
    return from === -1 ? 'member' : `mongo-${String(from)}`;
  };
}

/** Members among themselves. */
export function isMember(caller: string): boolean {
  return caller === 'member' || caller.startsWith('mongo-');
}
