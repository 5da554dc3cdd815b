import { type Env, EnvError } from '../config/env.ts';
import type { ConfigValues } from '../core/service-config/config-document.ts';
import { valueProblems } from '../core/service-config/check-values.ts';
import { pairProblems } from '../core/service-config/pair-rules.ts';
import { CHANNELS } from '../core/notifications/ports.ts';
import { type ConfigScope, INSTALLATION, scopeKeyOf } from '../core/service-config/scope.ts';
import { type Overrides, createSettings } from '../core/service-config/settings.ts';

type Tunables = Pick<Env, 'SAGA_CONCURRENCY' | 'DELIVERY_POLICIES'>;

/**
 * What the environment says of settings: the installation's default, which anything that is stored
 * goes before.
 *
 * @throws EnvError when it makes no sense.
 */
export function environmentSettings({ SAGA_CONCURRENCY, DELIVERY_POLICIES }: Tunables): Overrides {
  const found = new Map<string, ConfigValues>();
  const add = (scope: ConfigScope, values: ConfigValues): void => {
    const [problem] = valueProblems(values, scope);
    if (problem !== undefined) throw senseless(scopeKeyOf(scope), problem);
    if (Object.keys(values).length > 0) found.set(scopeKeyOf(scope), values);
  };
  if (SAGA_CONCURRENCY !== undefined) add(INSTALLATION, { 'saga.concurrency': SAGA_CONCURRENCY });
  for (const channel of CHANNELS) {
    const said = Object.entries(DELIVERY_POLICIES?.[channel] ?? {});
    add({ channel }, Object.fromEntries(said.map(([name, value]) => [`delivery.${name}`, value])));
  }
  const settings = createSettings({ stored: new Map(), environment: found });
  const [problem] = pairProblems(settings, [INSTALLATION]);
  if (problem !== undefined) throw senseless('installation', problem);
  return found;
}

function senseless(
  scope: string,
  { name, detail }: { readonly name: string; readonly detail: string },
): EnvError {
  const variable = name === 'saga.concurrency' ? 'SAGA_CONCURRENCY' : 'DELIVERY_POLICIES';
  return new EnvError(`${variable}: ${name} (${scope}) ${detail}`);
}
