/**
 * The tree of settings: every key, its reader and its default, nowhere else. Defaults are written as an operator would
 * write them and go through the same readers. What one value says about another is not here but in relations.ts:
 * zod skips the checks of an object that already has a fault, and all problems are to be reported at once.
 */
import { z } from 'zod';
import { choice, count, duration, readAutoOrPositive } from './read-quantities.ts';
import { readPositive, readSize, readTruth, wholeNumber } from './read-quantities.ts';
import { readBaseUrl, readGatewayKey, readHost, readName, readSecret, readState } from './read-text.ts';
import { unreadable, type Reader } from './reading.ts';

export const DEFAULT_BASE_URL = 'https://api.anthropic.com';

const REMOVE_OR_FILL = 'give it a value, or remove the line';

function leaf<T>(reader: Reader<T>, shown: 'shown' | 'hidden') {
  return z.unknown().transform((value, context) => {
    const reading = readPresent(reader, value);
    if (reading.kind === 'read') return reading.value;
    const subject = shown === 'shown' ? { subject: value } : {};
    context.addIssue({ code: 'custom', message: reading.fault, params: { mend: reading.mend, ...subject } });
    return z.NEVER;
  });
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
  protocol: setting(choice('anthropic', 'openai')).prefault('anthropic'),
  baseUrl: hidden(readBaseUrl).prefault(DEFAULT_BASE_URL),
  apiKey: hidden(readSecret).optional(),
  cacheDomain: setting(readName).optional(),
  stripsAttribution: setting(readTruth).prefault(true),
  maxConcurrency: setting(count(1)).optional(),
});

const tenant = z.strictObject({
  id: setting(readName),
  keys: z.array(hidden(readGatewayKey)),
  maxConcurrency: setting(count(1)).prefault(16),
  queue: z
    .strictObject({
      max: setting(count(0)).prefault(256),
      timeout: setting(duration(1)).prefault('30s'),
    })
    .prefault({}),
  weight: setting(readPositive).prefault(1),
  cache: setting(choice('auto', 'observe', 'off')).prefault('auto'),
  hangUp: setting(choice('cancel', 'drain')).prefault('cancel'),
  recover: setting(choice('off', 'continue')).prefault('off'),
  upstreams: z.array(setting(readName)).optional(),
  budget: z
    .strictObject({
      usd: setting(readPositive),
      per: setting(choice('hour', 'day', 'month')),
    })
    .optional(),
});

export const settingsSchema = z.strictObject({
  listen: z
    .strictObject({
      host: setting(readHost).prefault('127.0.0.1'),
      port: setting(wholeNumber(0, 65_535)).prefault(8787),
    })
    .prefault({}),
  upstreams: z.array(upstream).optional(),
  tenants: z.array(tenant).prefault([]),
  cache: z
    .strictObject({
      singleFlight: setting(readTruth).prefault(true),
      maxHold: setting(duration(0)).prefault('5s'),
      ttl: setting(choice('auto', '5m', '1h')).prefault('auto'),
      prolong: setting(choice('learn', 'yes', 'no')).prefault('learn'),
      minReuse: setting(readAutoOrPositive).prefault('auto'),
    })
    .prefault({}),
  state: hidden(readState).prefault('memory'),
  console: z
    .strictObject({
      enabled: setting(readTruth).optional(),
      token: hidden(readSecret).optional(),
    })
    .prefault({}),
  limits: z
    .strictObject({
      bodyBytes: setting(readSize).prefault('32MiB'),
      headersTimeout: setting(duration(1)).prefault('10s'),
      retries: setting(wholeNumber(0, 10)).prefault(4),
      streamIdle: setting(duration(1)).prefault('300s'),
      drain: setting(duration(0)).prefault('30s'),
      drainNotice: setting(duration(0)).prefault('0s'),
      hangUpDrain: setting(duration(0)).prefault('60s'),
    })
    .prefault({}),
});

/** The values after reading, before credentials are set apart. */
export type Settings = z.output<typeof settingsSchema>;
