import { startSandbox } from './server.ts';

/** `tsx scripts/dev/sandbox/main.ts [port [host]]`: the sandbox provider on its own. */
const [port = '0', host = '127.0.0.1'] = process.argv.slice(2);
const sandbox = await startSandbox(Number(port), host);
console.log(`sandbox provider: ${sandbox.url}`);
const stop = (): void => {
  sandbox.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
