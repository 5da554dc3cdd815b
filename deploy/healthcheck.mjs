/**
 * Exit code 0 when this container answers `200`. It runs either the API or a worker, so the one
 * port of the two that is open decides: `node deploy/healthcheck.mjs [/healthz | /readyz]`.
 */
const path = process.argv[2] ?? '/healthz';
const ports = [process.env.PORT, process.env.WORKER_PORT].filter(Boolean);
const TIMEOUT_MS = 3_000; // below the timeout of the container's own check

async function isWell(port) {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal });
  if (!response.ok) console.error(`port ${port}: ${response.status} ${await response.text()}`);
  return response.ok;
}

const answers = await Promise.allSettled(ports.map(isWell));
const isHealthy = answers.some(({ value }) => value === true);
process.exitCode = isHealthy ? 0 : 1;
