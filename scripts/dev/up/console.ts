import { ensureConsole } from '../console.ts';
import { type Log, runStep } from '../servers/report.ts';

/** Built anew when its sources have changed. The platform runs without it, and says why it is not there. */
export async function prepareConsole(log: Log): Promise<void> {
  try {
    await runStep(log, 'Console: looking', async (note) => {
      note((await ensureConsole()) ? 'built' : 'as built before');
    });
  } catch {
    log('• Console: not built; `npm run console:build` says why. Everything else goes on.');
  }
}
