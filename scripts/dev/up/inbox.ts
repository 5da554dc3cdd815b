import { pickPort } from '../servers/ports.ts';
import type { DevFile } from '../../../cli/dev-file.ts';
import { type StandIns, startStandIns } from '../stand-ins/start.ts';
import { lastPort } from './settings.ts';

const MAIL_PORT = 1_025;
const INBOX_PORT = 8_025;

/** Where this machine's notifications go; on the ports of last time when they are free. */
export async function startInbox(
  taken: ReadonlySet<number>,
  last: Pick<DevFile, 'inboxUrl' | 'stackEnv'> = {},
): Promise<StandIns> {
  const lastMail = last.inboxUrl === undefined ? undefined : last.stackEnv?.['SMTP_URL'];
  const mail = await pickPort([...lastPort(lastMail), MAIL_PORT], taken);
  const receiver = await pickPort(
    [...lastPort(last.inboxUrl), INBOX_PORT],
    new Set([...taken, mail]),
  );
  return startStandIns({ mail, receiver });
}
