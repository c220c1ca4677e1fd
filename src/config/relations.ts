/**
 * What one setting says about another: ids that must differ, names that must be there, keys that belong to one tenant
 * only. Works on the raw value, so that these problems are reported together with those of single values.
 */
import type { Fault, Path } from './fault.ts';
import { nearest } from './nearest.ts';
import { fieldOf, listOf } from './raw.ts';
import { readGatewayKey } from './read-text.ts';

type Digest = (text: string) => string;

export function checkRelations(raw: unknown, sha256Hex: Digest): Fault[] {
  return [
    ...repeatedIds(raw, 'upstreams'),
    ...repeatedIds(raw, 'tenants'),
    ...repeatedKeys(raw, sha256Hex),
    ...emptyLists(raw),
    ...managedWithoutUpstream(raw),
    ...unknownUpstreams(raw),
    ...consoleWithoutToken(raw),
  ];
}

const isManaged = (raw: unknown): boolean => listOf(fieldOf(raw, 'tenants')).length > 0;

function idsOf(raw: unknown, list: 'upstreams' | 'tenants'): unknown[] {
  return listOf(fieldOf(raw, list)).map((entry) => fieldOf(entry, 'id'));
}

function repeatedIds(raw: unknown, list: 'upstreams' | 'tenants'): Fault[] {
  const ids = idsOf(raw, list);
  return ids.flatMap((id, index) => {
    const first = ids.indexOf(id);
    if (typeof id !== 'string' || first === index) return [];
    const mend = 'give each its own id';
    return [{ at: [list, index, 'id'], phrase: `is already the id of ${list}[${first}]`, subject: id, mend }];
  });
}

function repeatedKeys(raw: unknown, sha256Hex: Digest): Fault[] {
  const firstPlaces = new Map<string, string>();
  const faults: Fault[] = [];
  for (const { at, digest } of gatewayKeys(raw, sha256Hex)) {
    const place = `${at[0]}[${at[1]}].keys[${at[3]}]`;
    const first = firstPlaces.get(digest);
    if (first === undefined) firstPlaces.set(digest, place);
    else faults.push({ at, phrase: `is the same key as ${first}`, mend: 'make a new key for one of them' });
  }
  return faults;
}

function gatewayKeys(raw: unknown, sha256Hex: Digest): { at: Path; digest: string }[] {
  return listOf(fieldOf(raw, 'tenants')).flatMap((tenant, index) =>
    listOf(fieldOf(tenant, 'keys')).flatMap((value, position) => {
      const reading = readGatewayKey(value);
      if (reading.kind === 'unreadable') return [];
      const key = reading.value;
      const digest = key.kind === 'digest' ? key.hex : sha256Hex(key.text);
      return [{ at: ['tenants', index, 'keys', position], digest }];
    }),
  );
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

function emptyLists(raw: unknown): Fault[] {
  const faults: Fault[] = [];
  if (isEmptyList(fieldOf(raw, 'upstreams')) && !isManaged(raw)) {
    const mend = 'remove it to use https://api.anthropic.com, or add an upstream';
    faults.push({ at: ['upstreams'], phrase: 'has no entry', mend });
  }
  listOf(fieldOf(raw, 'tenants')).forEach((tenant, index) => {
    if (isEmptyList(fieldOf(tenant, 'keys'))) {
      const mend = 'add a key, or "sha256:" and its digest: without one nobody is this tenant';
      faults.push({ at: ['tenants', index, 'keys'], phrase: 'has no entry', mend });
    }
    if (isEmptyList(fieldOf(tenant, 'upstreams'))) {
      const mend = 'remove it to let the tenant use every upstream, or name one';
      faults.push({ at: ['tenants', index, 'upstreams'], phrase: 'has no entry', mend });
    }
  });
  return faults;
}

/** A tenant's caller holds a gateway key; forwarding it would show it to the upstream and be refused there. */
function managedWithoutUpstream(raw: unknown): Fault[] {
  if (!isManaged(raw)) return [];
  const upstreams = fieldOf(raw, 'upstreams');
  if (upstreams === undefined || isEmptyList(upstreams)) {
    const phrase = 'has no entry, and tenants need one whose key they share';
    return [{ at: ['upstreams'], phrase, mend: 'add an upstream with an apiKey' }];
  }
  return listOf(upstreams).flatMap((upstream, index) => {
    if (typeof upstream !== 'object' || upstream === null || Object.hasOwn(upstream, 'apiKey')) return [];
    const phrase = 'is missing, and with tenants there is no credential of the caller to forward';
    return [{ at: ['upstreams', index, 'apiKey'], phrase, mend: 'add apiKey: ${ANTHROPIC_API_KEY}' }];
  });
}

function unknownUpstreams(raw: unknown): Fault[] {
  const known = idsOf(raw, 'upstreams').filter((id) => typeof id === 'string');
  if (known.length === 0) return [];
  return listOf(fieldOf(raw, 'tenants')).flatMap((tenant, index) =>
    listOf(fieldOf(tenant, 'upstreams')).flatMap((name, position): Fault[] => {
      if (typeof name !== 'string' || known.includes(name)) return [];
      const guess = nearest(name, known);
      const mend = guess === undefined ? `the upstreams are: ${known.join(', ')}` : `did you mean ${guess}?`;
      const at = ['tenants', index, 'upstreams', position];
      return [{ at, phrase: 'is not the id of an upstream', subject: name, mend }];
    }),
  );
}

function consoleWithoutToken(raw: unknown): Fault[] {
  const section = fieldOf(raw, 'console');
  const enabled = fieldOf(section, 'enabled');
  if ((enabled !== true && enabled !== 'true') || fieldOf(section, 'token') !== undefined) return [];
  const mend = 'add token: ${CONSOLE_TOKEN}, or write enabled: false';
  return [{ at: ['console', 'token'], phrase: 'is missing, and the console is only shown to who has it', mend }];
}
