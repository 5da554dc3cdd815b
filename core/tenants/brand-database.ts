/** The database that a tenant's work stands in where each has one of its own. */
export function brandDatabase(controlDatabase: string, tenantId: string): string {
  return `${controlDatabase}_${tenantId}`;
}
