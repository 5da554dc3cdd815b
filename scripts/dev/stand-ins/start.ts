import { type MailServer, startMailServer } from './mail-server.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { newVapidKeys } from './web-push.ts';

/** All that notifications are sent to, on this machine: an SMTP server and an HTTP receiver. */
export interface StandIns {
  readonly mail: MailServer;
  readonly receiver: Receiver;
  /** For the processes that are to send there. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

interface Ports {
  readonly mail?: number;
  readonly receiver?: number;
}

const SMS_FROM = '+15005550006';

export async function startStandIns(ports: Ports = {}): Promise<StandIns> {
  const mail = await startMailServer({ port: ports.mail ?? 0 });
  const receiver = await startReceiver({ port: ports.receiver ?? 0, mails: () => mail.mails() });
  const vapid = newVapidKeys();
  return {
    mail,
    receiver,
    env: {
      SMTP_URL: mail.url,
      SMS_URL: receiver.url,
      SMS_ACCOUNT: receiver.sms.account,
      SMS_TOKEN: receiver.sms.token,
      SMS_FROM,
      FCM_URL: receiver.url,
      FCM_SERVICE_ACCOUNT: receiver.fcm.serviceAccount(receiver.url),
      VAPID_PUBLIC_KEY: vapid.publicKey,
      VAPID_PRIVATE_KEY: vapid.privateKey,
      WEBHOOK_ALLOW_PRIVATE: 'loopback',
    },
    close: async () => {
      await Promise.all([mail.close(), receiver.close()]);
    },
  };
}
