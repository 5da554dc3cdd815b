import { startStandIns } from './start.ts';

/** `tsx scripts/dev/stand-ins/main.ts [mail port] [receiver port]`: prints what the processes need. */
const [mailPort = '0', receiverPort = '0'] = process.argv.slice(2);
const standIns = await startStandIns({ mail: Number(mailPort), receiver: Number(receiverPort) });
for (const [name, value] of Object.entries(standIns.env)) console.log(`export ${name}='${value}'`);
console.error(`inbox: ${standIns.receiver.url}`);
const stop = (): void => {
  standIns.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
