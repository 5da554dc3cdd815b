// Prints the folder of the Node that has to come first on the PATH, fetched if need be, or an empty
// line when the one that runs this will do. For shell scripts.
import { nodeFolder } from './bootstrap.mjs';

process.stdout.write(`${await nodeFolder()}\n`);
