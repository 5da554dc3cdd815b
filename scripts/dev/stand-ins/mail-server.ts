import { type AddressInfo } from 'node:net';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** A mail as it arrived. */
export interface Mail {
  readonly number: number;
  readonly receivedAt: string;
  /** As said to the server, whatever the headers say. */
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  readonly text: string;
  readonly html: string;
  readonly raw: string;
}

export interface MailFault {
  readonly on: 'connect' | 'mail' | 'rcpt' | 'data';
  /** `550 5.1.1 No such user`; without one no answer at all. At `data` the mail is kept first. */
  readonly reply?: string;
  readonly times?: number;
}

/** A real SMTP server that keeps what it gets. */
export interface MailServer {
  readonly url: string;
  mails(): readonly Mail[];
  inject(fault: MailFault): void;
  clear(): void;
  /** Connections that have been made so far. */
  connections(): number;
  close(): Promise<void>;
}

interface MailServerOptions {
  readonly port?: number;
  readonly keep?: number;
  /** Asked for when set. */
  readonly login?: { readonly user: string; readonly password: string };
}

type Done = (error?: Error | null) => void;

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { port = 0, keep = 200, login } = options;
  const mails: Mail[] = [];
  const faults: { fault: MailFault; left: number }[] = [];
  let count = 0;
  let connections = 0;
  const pass = (on: MailFault['on'], done: Done): void => {
    const index = faults.findIndex(({ fault }) => fault.on === on);
    const planned = faults[index];
    if (planned === undefined) {
      done();
      return;
    }
    planned.left -= 1;
    if (planned.left === 0) faults.splice(index, 1);
    if (planned.fault.reply !== undefined) done(replyError(planned.fault.reply));
  };
  const server = new SMTPServer({
    disabledCommands: login === undefined ? ['AUTH', 'STARTTLS'] : ['STARTTLS'],
    authOptional: login === undefined,
    allowInsecureAuth: true,
    hideENHANCEDSTATUSCODES: true,
    disableReverseLookup: true,
    logger: false,
    onAuth: (given, _session, done) => {
      const isRight = given.username === login?.user && given.password === login?.password;
      if (isRight) done(null, { user: given.username });
      else done(replyError('535 5.7.8 Wrong user or password'));
    },
    onConnect: (_session, done) => {
      connections += 1;
      pass('connect', done);
    },
    onMailFrom: (_address, _session, done) => {
      pass('mail', done);
    },
    onRcptTo: (_address, _session, done) => {
      pass('rcpt', done);
    },
    onData: (stream, session, done) => {
      const { mailFrom, rcptTo } = session.envelope;
      const envelope = {
        from: mailFrom === false ? '' : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
      };
      readAll(stream)
        .then(async (raw) => {
          count += 1;
          mails.push({ number: count, ...envelope, ...(await parse(raw)) });
          if (mails.length > keep) mails.shift();
          pass('data', done);
        })
        .catch(done);
    },
  });
  server.on('error', () => undefined); // a client that hangs up is not our trouble
  await new Promise<void>((resolve) => {
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: actual } = server.server.address() as AddressInfo;
  const user = login === undefined ? '' : `${login.user}:${login.password}@`;
  return {
    url: `smtp://${user}127.0.0.1:${String(actual)}`,
    mails: () => [...mails],
    inject: (fault) => {
      faults.push({ fault, left: fault.times ?? 1 });
    },
    clear: () => {
      faults.splice(0);
      mails.splice(0);
    },
    connections: () => connections,
    close: async () => {
      await new Promise<void>((resolve) => {
        server.close(resolve);
        for (const connection of server.connections) connection.close();
      });
    },
  };
}

async function parse(raw: Buffer): Promise<Omit<Mail, 'number' | 'from' | 'to'>> {
  const { subject = '', messageId = '', text = '', html = '' } = await PostalMime.parse(raw);
  const receivedAt = new Date().toISOString();
  return { receivedAt, subject, messageId, text, html, raw: raw.toString('utf8') };
}

function replyError(reply: string): Error {
  const [code, ...text] = reply.split(' ');
  return Object.assign(new Error(text.join(' ')), { responseCode: Number(code) });
}

async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
