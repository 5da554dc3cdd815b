import type { Cluster } from '../cluster/cluster.ts';
import type { Strike } from './fault-kind.ts';

/** As a deployment does it: each is asked to go, and the next waits until its successor is ready. */
export async function rollingRestart(cluster: Cluster): Promise<Strike> {
  let restarted = 0;
  const slow: string[] = [];
  const restartAll = async (): Promise<void> => {
    for (const child of [...cluster.apis, ...cluster.workers]) {
      const exit = await child.stop();
      restarted += 1;
      if (exit?.code !== 0) slow.push(child.name);
      child.start();
      await child.waitUntilReady();
    }
  };
  const running = restartAll();
  return {
    strikes: () => restarted,
    isCountedAtEnd: true,
    heal: () => running,
    get note() {
      return slow.length === 0 ? 'all ended by themselves' : `killed: ${slow.join(', ')}`;
    },
  };
}
