import type { Json } from '../kernel/canonical.ts';
import { AppError } from '../kernel/errors.ts';
import { fieldErrors } from '../kernel/field-errors.ts';
import type { ReadSignal } from './intervention.ts';
import type { Registry } from './define.ts';

/** Signals by what the types declare: each has a name that the type knows and data that fits it. */
export function signalReader(registry: Registry): ReadSignal {
  return ({ type, typeVersion }, name, data) => {
    const current = Object.hasOwn(registry, type) ? registry[type] : undefined;
    const all = current === undefined ? [] : [current, ...(current.earlier ?? [])];
    const known = all.find(({ version }) => version === typeVersion)?.signals ?? {};
    const schema = Object.hasOwn(known, name) ? known[name] : undefined;
    if (schema === undefined) {
      const names = Object.keys(known).join(', ');
      const detail = names === '' ? `a ${type} takes no signals` : `a ${type} takes: ${names}`;
      const errors = [{ pointer: '/name', detail }];
      throw new AppError('invalid_request', `There is no such signal: ${detail}`, { errors });
    }
    const parsed = schema.safeParse(data);
    if (parsed.success) return parsed.data as Json; // schemas of signals give plain JSON
    const errors = fieldErrors(parsed.error.issues, data);
    throw new AppError('invalid_request', `That is no ${name}`, { errors });
  };
}
