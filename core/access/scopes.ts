/** What a key may do. */
export const SCOPES = [
  'operations:write',
  /** Answers what operations wait for: apart from asking for them. */
  'operations:approve',
  'ledger:read',
  'notifications:admin',
  /** Makes keys, none of which may do more than the one that made it. */
  'keys:admin',
  'admin',
] as const;
export type BaseScope = (typeof SCOPES)[number];

/** `operations:write` for some types alone: `operations:write:transfer`, `operations:write:hold.*`. */
export type TypeScope = `operations:write:${string}`;
export type Scope = BaseScope | TypeScope;

const ANY_TYPE = 'operations:write';
const PREFIX = `${ANY_TYPE}:`;
const TYPE_SCOPE =
  /^operations:write:[a-z][a-z0-9_-]{0,40}(?:\.[a-z][a-z0-9_-]{0,40}){0,3}(?:\.\*)?$/;

export function isBaseScope(text: string): text is BaseScope {
  return SCOPES.some((scope) => scope === text);
}

export function isTypeScope(text: string): text is TypeScope {
  return TYPE_SCOPE.test(text);
}

export function isScope(text: string): text is Scope {
  return isBaseScope(text) || isTypeScope(text);
}

/** `admin` implies every scope. Of operations: all of them; see `hasSomeType`. */
export function hasScope(scopes: readonly Scope[], needed: Scope): boolean {
  return scopes.includes(needed) || scopes.includes('admin');
}

/** Whether there is any type of operation that it may ask for: which one, its type tells. */
export function hasSomeType(scopes: readonly Scope[]): boolean {
  return hasScope(scopes, ANY_TYPE) || scopes.some((scope) => scope.startsWith(PREFIX));
}

/** Whether it may ask for operations of a type. */
export function hasType(scopes: readonly Scope[], type: string): boolean {
  return hasScope(scopes, ANY_TYPE) || scopes.some((scope) => covers(scope, type));
}

/** The types that are named, out of those that there are. Pure. */
export function typesNamed(scope: TypeScope, types: readonly string[]): readonly string[] {
  return types.filter((type) => covers(scope, type));
}

/** Of what is wanted all that the holder of these scopes does not have itself. Pure. */
export function notHeld(held: readonly Scope[], wanted: readonly Scope[]): readonly Scope[] {
  return wanted.filter((one) => !hasScope(held, one) && !(isTypeScope(one) && isHeld(held, one)));
}

function isHeld(held: readonly Scope[], wanted: TypeScope): boolean {
  return hasType(held, wanted.slice(PREFIX.length));
}

/** A pattern covers types, and narrower patterns: `hold.*` has `hold.place` and `hold.*`. */
function covers(scope: Scope, type: string): boolean {
  if (!scope.startsWith(PREFIX)) return false;
  const pattern = scope.slice(PREFIX.length);
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}
