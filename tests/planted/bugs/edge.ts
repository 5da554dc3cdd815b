import type { PlantedBug } from '../planted-bug.ts';

export const BUGS: readonly PlantedBug[] = [
  {
    name: 'a number that a double rounds is taken for an amount',
    file: 'core/kernel/json-text.ts',
    find: '  if (isKept(literal)) return count(place);\n',
    replace: '  if (isKept(literal) || literal.length > 0) return count(place);\n',
    foundBy: ['tests/unit/api/json.test.ts', 'tests/http/bad-input/hostile.test.ts'],
  },
  {
    name: 'of two equal names in an object the last one counts',
    file: 'core/kernel/json-text.ts',
    find: '  if (level.names.has(name)) return',
    replace: '  if (level.names.has(name) && level.names.size === 0) return',
    foundBy: ['tests/unit/api/json.test.ts', 'tests/http/bad-input/hostile.test.ts'],
  },
  {
    name: 'every unknown member of a body is told',
    file: 'core/kernel/field-errors.ts',
    find: '      if (into.found.size >= FIELD_ERRORS_MAX) return;\n',
    replace: '',
    foundBy: ['tests/unit/core/kernel/field-errors.test.ts'],
  },
  {
    name: 'whoever may submit operations may set up a tenant',
    file: 'api/submit.ts',
    find: 'return definition.scope !== undefined && !hasScope(scopes, definition.scope);',
    replace: 'return definition.scope !== undefined && scopes.length === 0;',
    foundBy: ['tests/http/operations/rights.test.ts'],
  },
  {
    name: 'the key of a tenant under way opens it',
    file: 'core/tenants/api-key.ts',
    find: "return status === 'active' && !isOfAnother;",
    replace: "return status !== 'abandoned' && !isOfAnother;",
    foundBy: ['tests/unit/core/tenants/api-key.test.ts', 'tests/http/operations/rights.test.ts'],
  },
  {
    name: 'a late worker leaves a live key behind',
    file: 'core/operations/tenant-services-store.ts',
    find: '      await revokeKeysOf(tenant);\n',
    replace: '',
    foundBy: ['tests/http/operations/rights.test.ts'],
  },
  {
    name: 'a connection may ask for as much as it likes ahead of its answers',
    file: 'core/runtime/http-turns.ts',
    find: 'if (line.underWay < LIMITS.pipelinedMax) {',
    replace: 'if (line.underWay < Infinity) {',
    foundBy: ['tests/unit/core/runtime/http-turns.test.ts'],
  },
  {
    name: 'an upgrade to what we do not speak is never answered',
    file: 'api/realtime/upgrade.ts',
    find: 'return asked.has(this) && isWebsocket(this);',
    replace: 'return asked.has(this);',
    foundBy: ['tests/http/ops/raw-requests.test.ts'],
  },
];
