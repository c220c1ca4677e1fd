/**
 * A reader turns one YAML value into one setting, or says what is wrong with it. It never quotes the value itself:
 * whether a value may be shown is decided in one place (fault.ts), so that a secret cannot slip into a message here.
 * `fault` is a verb phrase that follows the value or "this setting".
 */
export type Reading<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'unreadable'; readonly fault: string; readonly mend: string };

export type Reader<T> = (value: unknown) => Reading<T>;

export const read = <T>(value: T): Reading<T> => ({ kind: 'read', value });

export const unreadable = (fault: string, mend: string): Reading<never> => ({ kind: 'unreadable', fault, mend });
