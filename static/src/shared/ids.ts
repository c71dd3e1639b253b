/** A random id for commands and marks; secure contexts only have crypto.randomUUID, plain http on a LAN does not. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
