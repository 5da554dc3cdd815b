// Run by mongod-download.ts as a process of its own, so that a download that hangs can be killed.
// Prints the path of the binary as its last line.
import { MongoBinary } from 'mongodb-memory-server-core/lib/util/MongoBinary.js';

try {
  process.stdout.write(`\n${await MongoBinary.getPath()}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
