/** Beginnings that nobody else would use: what has one of them was meant for us. */
const OURS =
  /^(SLUICE|PAYMENT_PROVIDER|MAIL_HTTP|SMS|FCM|VAPID|SETTLEMENT|WEBHOOK_ALLOW)_|^MONGO_(URL|DB)_/;
const OUR_REDIS = /^REDIS_\w+_URL$/;

/** Read by the scripts and the command line, not by the processes of the platform. */
const OF_TOOLS: ReadonlySet<string> = new Set([
  ...['SLUICE_URL', 'SLUICE_API_KEY', 'SLUICE_CACHE_DIR'],
  ...['SLUICE_LAUNCHER_PID', 'SLUICE_CI_RUN', 'SLUICE_CI_GRACE_SECONDS'],
]);

/** What hosts set by themselves: Kubernetes for each port of a service, Heroku for its Redis. */
const OF_HOSTS = /_SERVICE_(HOST|PORT)(_\w+)?$|_PORT(_\d+_(TCP|UDP)(_\w+)?)?$|^REDIS_TLS_URL$/;

/**
 * Names that look like settings of ours and are none. A misspelt one would otherwise do nothing, and
 * what it was meant to change would stay as it was without a word. Pure.
 */
export function unknownNames(
  source: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
): readonly string[] {
  const isKnown = (name: string): boolean => Object.hasOwn(known, name) || OF_TOOLS.has(name);
  return Object.keys(source)
    .filter((name) => OURS.test(name) || OUR_REDIS.test(name))
    .filter((name) => !isKnown(name) && !OF_HOSTS.test(name));
}
