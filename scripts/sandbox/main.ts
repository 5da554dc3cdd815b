import { startSandbox } from './server.ts';

/** `tsx scripts/sandbox/main.ts [port]`: the sandbox provider on its own. */
const sandbox = await startSandbox(Number(process.argv[2] ?? '0'));
console.log(`sandbox provider: ${sandbox.url}`);
const stop = (): void => {
  sandbox.close().then(
    () => process.exit(0),
    () => process.exit(1),
  );
};
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
