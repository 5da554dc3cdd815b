import { pickPort } from '../local/ports.ts';
import { type StandIns, startStandIns } from '../stand-ins/start.ts';

const MAIL_PORT = 1_025;
const INBOX_PORT = 8_025;

/** Where this machine's notifications go; on the ports of old when they are free. */
export async function startInbox(taken: ReadonlySet<number>): Promise<StandIns> {
  const mail = await pickPort([MAIL_PORT], taken);
  const receiver = await pickPort([INBOX_PORT], new Set([...taken, mail]));
  return startStandIns({ mail, receiver });
}
