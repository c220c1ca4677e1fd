/**
 * The tree of settings: every key, its reader and its default, nowhere else. Defaults are written as an operator would
 * write them and go through the same readers. What one value says about another is not here but in relations.ts:
 * zod skips the checks of an object that already has a fault, and all problems are to be reported at once.
 */
import * as z from 'zod/mini';
import { choice, count, duration, readAutoOrPositive } from './read-quantities.ts';
import { readPositive, readSize, readTruth, wholeNumber } from './read-quantities.ts';
import { readState } from './read-state.ts';
import { readBaseUrl, readGatewayKey, readHost, readName, readSecret } from './read-text.ts';
import { unreadable, type Reader } from './reading.ts';

export const DEFAULT_BASE_URL = 'https://api.anthropic.com';

const REMOVE_OR_FILL = 'give it a value, or remove the line';

function leaf<T>(reader: Reader<T>, shown: 'shown' | 'hidden') {
  return z.pipe(
    z.unknown(),
    z.transform((value, context) => {
      const reading = readPresent(reader, value);
      if (reading.kind === 'read') return reading.value;
      const subject = shown === 'shown' ? { subject: value } : {};
      const params = { mend: reading.mend, ...subject };
      context.issues.push({ code: 'custom', message: reading.fault, params, input: value });
      return z.NEVER;
    }),
  );
}

function readPresent<T>(reader: Reader<T>, value: unknown) {
  if (value === undefined) return unreadable('is missing', 'add it');
  if (value === null) return unreadable('is empty', REMOVE_OR_FILL);
  return reader(value);
}

const setting = <T>(reader: Reader<T>) => leaf(reader, 'shown');
/** A setting whose value is never shown: a credential, or a place where one is often left. */
const hidden = <T>(reader: Reader<T>) => leaf(reader, 'hidden');

const upstream = z.strictObject({
  id: setting(readName),
  protocol: z.prefault(setting(choice('anthropic', 'openai')), 'anthropic'),
  baseUrl: z.prefault(hidden(readBaseUrl), DEFAULT_BASE_URL),
  apiKey: z.optional(hidden(readSecret)),
  cacheDomain: z.optional(setting(readName)),
  stripsAttribution: z.prefault(setting(readTruth), true),
  maxConcurrency: z.optional(setting(count(1))),
});

const tenant = z.strictObject({
  id: setting(readName),
  keys: z.array(hidden(readGatewayKey)),
  maxConcurrency: z.prefault(setting(count(1)), 16),
  queue: z.prefault(
    z.strictObject({
      max: z.prefault(setting(count(0)), 256),
      timeout: z.prefault(setting(duration(1)), '30s'),
    }),
    {},
  ),
  weight: z.prefault(setting(readPositive), 1),
  cache: z.prefault(setting(choice('auto', 'observe', 'off')), 'auto'),
  hangUp: z.prefault(setting(choice('cancel', 'drain')), 'cancel'),
  recover: z.prefault(setting(choice('off', 'continue')), 'off'),
  upstreams: z.optional(z.array(setting(readName))),
  budget: z.optional(
    z.strictObject({
      usd: setting(readPositive),
      per: setting(choice('hour', 'day', 'month')),
    }),
  ),
});

export const settingsSchema = z.strictObject({
  listen: z.prefault(
    z.strictObject({
      host: z.prefault(setting(readHost), '127.0.0.1'),
      port: z.prefault(setting(wholeNumber(0, 65_535)), 8787),
    }),
    {},
  ),
  publicUrl: z.optional(hidden(readBaseUrl)),
  upstreams: z.optional(z.array(upstream)),
  tenants: z.prefault(z.array(tenant), []),
  cache: z.prefault(
    z.strictObject({
      singleFlight: z.prefault(setting(readTruth), true),
      maxHold: z.prefault(setting(duration(0)), '5s'),
      ttl: z.prefault(setting(choice('auto', '5m', '1h')), 'auto'),
      prolong: z.prefault(setting(choice('learn', 'yes', 'no')), 'learn'),
      minReuse: z.prefault(setting(readAutoOrPositive), 'auto'),
    }),
    {},
  ),
  state: z.prefault(hidden(readState), 'memory'),
  console: z.prefault(
    z.strictObject({
      enabled: z.optional(setting(readTruth)),
      token: z.optional(hidden(readSecret)),
    }),
    {},
  ),
  metrics: z.prefault(
    z.strictObject({
      token: z.optional(hidden(readSecret)),
    }),
    {},
  ),
  limits: z.prefault(
    z.strictObject({
      bodyBytes: z.prefault(setting(readSize), '32MiB'),
      headersTimeout: z.prefault(setting(duration(1)), '10s'),
      retries: z.prefault(setting(wholeNumber(0, 10)), 4),
      streamIdle: z.prefault(setting(duration(1)), '300s'),
      drain: z.prefault(setting(duration(0)), '30s'),
      drainNotice: z.prefault(setting(duration(0)), '0s'),
      hangUpDrain: z.prefault(setting(duration(0)), '60s'),
    }),
    {},
  ),
});

/** The values after reading, before credentials are set apart. */
export type Settings = z.output<typeof settingsSchema>;
