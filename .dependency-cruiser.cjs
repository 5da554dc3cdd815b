/**
 * The import directions of docs/ARCHITECTURE.md as errors. Every rule here has a violating file in
 * tests/unit/tooling/boundaries.test.ts, and that test fails when a rule is added without one.
 */

const SOURCE = '^(config|core|queues|runtime|api|workers)/';

/** Core, lowest first. A component may import its own tier (stores excepted) and lower ones. */
const CORE_TIERS = [
  ['kernel'],
  ['outbound'],
  ['telemetry'],
  ['infra'],
  ['service-config'],
  ['events', 'tenants', 'audit'],
  ['ledger', 'users', 'access', 'wallets', 'holds'],
  ['operations'],
  ['notifications'],
  ['ingest', 'settlement', 'saga', 'payments', 'provisioning', 'operation-types'],
  ['recovery', 'health'],
];
const SIBLINGS = CORE_TIERS.find((tier) => tier.includes('ledger'));

const INFRA = '^core/infra/';
const TELEMETRY = '^core/telemetry/';
const PROVIDERS = '^core/(notifications|payments|outbound)/';

/** Parsing happens at every boundary, so its library has no single home. */
const EVERYWHERE = 'zod';

/**
 * Where a third-party package may be imported. One home keeps a library replaceable and its quirks
 * in one place; a package that is missing here may not be imported by the sources at all.
 */
const PACKAGE_HOMES = [
  ['uuid', ['^core/kernel/']],
  ['mongodb|bson', [INFRA, '^core/.+-store\\.ts$']],
  ['ioredis', [INFRA, '^core/events/', '^core/.+-(cache|lock)\\.ts$', '^queues/']],
  ['lru-cache', [INFRA, '^core/.+-cache\\.ts$']],
  ['bullmq', ['^queues/', '^workers/']],
  ['bullmq-otel', ['^queues/', '^workers/']],
  ['pino|prom-client|@opentelemetry/.+', [TELEMETRY]],
  ['@bull-board/api', ['^queues/', '^api/']],
  ['@bull-board/express', ['^api/']],
  ['express|express-serve-static-core|helmet|jose|rate-limiter-flexible', ['^api/']],
  ['socket\\.io|@socket\\.io/redis-streams-adapter', ['^api/']],
  ['graphql|@escape\\.tech/graphql-armor-max-(depth|aliases|directives)', ['^api/graphql/']],
  ['csv-parse', ['^api/']],
  ['marked|swagger-ui-dist', ['^api/docs/']],
  ['undici|ipaddr\\.js|nodemailer|web-push', [INFRA, PROVIDERS]],
];

const inCore = (names) => `^core/(${names.join('|')})/`;
const npm = (names) => `(^|/)node_modules/(@types/)?(${names})/`;

function layer(name, [from, to], comment) {
  return { name, severity: 'error', comment, from: { path: from }, to: { path: to } };
}

const layers = [
  layer(
    'config-imports-nothing',
    ['^config/', '^(core|queues|runtime|api|workers)/'],
    'config is the floor',
  ),
  layer(
    'core-is-below-the-edges',
    ['^core/', '^(queues|runtime|api|workers)/'],
    'declare a port instead',
  ),
  layer('queues-below-runtime', ['^queues/', '^(runtime|api|workers)/'], 'queues serve all sides'),
  layer(
    'runtime-below-the-edges',
    ['^runtime/', '^(api|workers)/'],
    'what wires is told what to do',
  ),
  layer('api-not-workers', ['^api/', '^workers/'], 'they meet in core and queues only'),
  layer('workers-not-api', ['^workers/', '^api/'], 'they meet in core and queues only'),
  {
    name: 'env-is-passed-in',
    severity: 'error',
    comment: 'main.ts parses the environment once and hands values down; its types are fine',
    from: { path: '^core/' },
    to: { path: '^config/env\\.ts$', dependencyTypesNot: ['type-only'] },
  },
];

/** One rule per tier, so that a report names the tier that reached upwards. */
const coreTiers = CORE_TIERS.slice(0, -1).map((tier, index) =>
  layer(
    `core-tier-${tier[0]}`,
    [inCore(tier), inCore(CORE_TIERS.slice(index + 1).flat())],
    `upwards import inside core; the order is ${CORE_TIERS.map(String).join(' < ')}`,
  ),
);

const insideCore = [
  {
    name: 'core-tier-unknown',
    severity: 'error',
    comment: 'a new component of core needs its place in CORE_TIERS',
    from: {},
    to: { path: '^core/', pathNot: inCore(CORE_TIERS.flat()) },
  },
  {
    name: 'sibling-stores-are-private',
    severity: 'error',
    comment: 'siblings talk through <noun>.ts; a store, cache or lock belongs to its own component',
    from: { path: `^core/(${SIBLINGS.join('|')})/` },
    to: { path: `${inCore(SIBLINGS)}.*-(store|cache|lock)\\.ts$`, pathNot: '^core/$1/' },
  },
  {
    name: 'operations-not-notifications',
    severity: 'error',
    comment: 'a step requests a notification by writing an outbox row',
    from: { path: '^core/(operations|operation-types|ingest|settlement|saga)/' },
    to: { path: '^core/notifications/' },
  },
  {
    name: 'engines-stand-apart',
    severity: 'error',
    comment: 'what accepts, what settles and what runs steps meet in operations only',
    from: { path: '^core/(ingest|settlement|saga)/' },
    to: { path: '^core/(ingest|settlement|saga)/', pathNot: '^core/$1/' },
  },
  {
    name: 'types-are-handed-in',
    severity: 'error',
    comment: 'engines take a registry; only who puts them together knows the types',
    from: { path: '^(core|queues)/', pathNot: '^core/operation-types/' },
    to: { path: '^core/operation-types/' },
  },
  {
    name: 'tracing-on-demand',
    severity: 'error',
    comment: 'the SDK of OpenTelemetry is loaded where tracing is on, and nowhere else',
    from: { pathNot: '^tests/' },
    to: { path: '^core/telemetry/otel-', dependencyTypesNot: ['dynamic-import'] },
  },
  {
    name: 'kernel-does-no-io',
    severity: 'error',
    comment: 'the kernel is pure: it computes, others read and write',
    from: { path: '^core/kernel/' },
    to: {
      dependencyTypes: ['core'],
      path: '^(node:)?(fs|net|http|https|http2|tls|dns|dgram|child_process|worker_threads|cluster)\\b',
    },
  },
];

const packageHomes = PACKAGE_HOMES.map(([names, homes]) => ({
  name: `home-of-${names
    .split('|')[0]
    .replace(/[^a-z-]+/g, '-')
    .replace(/^-|-$/g, '')}`,
  severity: 'error',
  comment: `may be imported only by ${homes.join(' and ')}`,
  from: { path: SOURCE, pathNot: homes },
  to: { path: npm(names) },
}));

/** What ships: the sources, and the command line, which is built into the same image. */
const SHIPPED = '^(config|core|queues|runtime|api|workers|cli)/';

const hygiene = [
  {
    name: 'no-circular',
    severity: 'error',
    comment: 'also for types: a cycle of types is a component boundary in the wrong place',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-orphans',
    severity: 'error',
    comment: 'nothing imports it and it imports nothing: delete it, or wire it in',
    from: { orphan: true, path: SOURCE, pathNot: '^(api|workers)/main\\.ts$' },
    to: {},
  },
  {
    name: 'sources-stand-alone',
    severity: 'error',
    comment:
      'nothing that ships may import tests, benchmarks, examples, scripts or the command line',
    from: { path: SOURCE },
    to: { path: '^(tests|bench|scripts|examples|cli|client)/' },
  },
  {
    name: 'client-stands-alone',
    severity: 'error',
    comment:
      'it runs in any runtime and is installed by itself: no module but its own, node: included',
    from: { path: '^client/' },
    to: { pathNot: '^client/src/' },
  },
  {
    name: 'cli-stands-alone',
    severity: 'error',
    comment: 'the command line ships in the image; tests and examples do not',
    from: { path: '^cli/' },
    to: { path: '^(tests|examples)/' },
  },
  {
    name: 'no-dev-dependency-in-source',
    severity: 'error',
    comment: 'the image is installed with --omit=dev',
    from: { path: SHIPPED },
    // A package's types come from @types (dev); they are gone before anything runs.
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: '@types/' },
  },
  {
    name: 'package-without-a-home',
    severity: 'error',
    comment: 'add a row to PACKAGE_HOMES in .dependency-cruiser.cjs and a line to an ADR',
    from: { path: SOURCE },
    to: {
      path: '(^|/)node_modules/',
      pathNot: [npm(EVERYWHERE), ...PACKAGE_HOMES.map(([names]) => npm(names))],
    },
  },
  {
    name: 'package-not-listed',
    severity: 'error',
    comment: 'installed by accident of another package: add it to package.json',
    from: {},
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'resolvable',
    severity: 'error',
    comment: 'the import leads nowhere',
    from: {},
    to: { couldNotResolve: true },
  },
];

module.exports = {
  forbidden: [...layers, ...coreTiers, ...insideCore, ...packageHomes, ...hygiene],
  options: {
    doNotFollow: { path: 'node_modules' },
    // Ours, at the root. Unanchored it would also leave out what packages ship from their `dist`, and
    // with it every rule about packages.
    exclude: { path: '^(dist|coverage|\\.data|\\.cache)/' },
    // Before compilation, so that `import type` counts too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
    reporterOptions: { text: { highlightFocused: true } },
  },
};
