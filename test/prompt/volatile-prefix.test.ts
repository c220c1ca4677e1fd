import { beforeEach, describe, expect, it } from 'vitest';
import { createVolatilePrefixes, type VolatilePrefixes } from '../../src/prompt/volatile-prefix.ts';
import { prefixOfBody, text, user } from './prefixes.ts';

const INSTRUCTIONS = 'Be kind and exact. '.repeat(500);
const TOKENS_PER_BYTE = 0.25;
const MINUTE_MS = 60_000;

let volatile: VolatilePrefixes;
let nowMs: number;
beforeEach(() => {
  volatile = createVolatilePrefixes();
  nowMs = 0;
});

/** One request a minute. */
function send(body: object, tenant = 'acme', stripsAttribution = true): void {
  const prefix = prefixOfBody(body, 'main', stripsAttribution);
  volatile.record({ tenant, model: 'claude-sonnet-5', prefix, tokensPerByte: TOKENS_PER_BYTE, nowMs });
  nowMs += MINUTE_MS;
}

function sendMany(count: number, bodyOf: (at: number) => object): void {
  for (let at = 0; at < count; at++) send(bodyOf(at));
}

const question = (at: number): object[] => [user(`Question ${at}?`)];
const clock = (at: number): object => text(`It is ${10 + at}:00.`);
const found = () => volatile.found(nowMs);

describe('a block that changes in every request before one that does not', () => {
  it('is named, with what stands behind it and how often it is sent', () => {
    sendMany(60, (at) => ({ system: [clock(at), text(INSTRUCTIONS)], messages: question(at) }));
    const [block, ...others] = found();
    expect(others).toEqual([]);
    expect(block).toMatchObject({
      tenant: 'acme',
      model: 'claude-sonnet-5',
      place: 'system[0]',
      requests: 60,
      changes: 59,
    });
    expect(block?.tokensBehind).toBeCloseTo((INSTRUCTIONS.length + 26) * TOKENS_PER_BYTE, -1);
    expect(block?.requestsPerDay).toBeCloseTo(24 * 60, 0);
  });

  it('is named where it stands between stable ones, and nothing behind it is named with it', () => {
    sendMany(20, (at) => ({
      tools: [{ name: 'read', input_schema: {} }],
      system: [text('You are Otto.'), clock(at), text(INSTRUCTIONS), text('And brief.')],
      messages: question(at),
    }));
    expect(found().map(({ place }) => place)).toEqual(['system[1]']);
  });

  it('is named for each tenant by itself, the dearest first', () => {
    for (let at = 0; at < 10; at++) {
      send({ system: [clock(at), text('Be brief.')], messages: question(at) }, 'small');
      send({ system: [clock(at), text(INSTRUCTIONS)], messages: question(at) }, 'large');
    }
    expect(found().map(({ tenant }) => tenant)).toEqual(['large', 'small']);
  });

  it('costs less and less a day when it is sent no more', () => {
    sendMany(60, (at) => ({ system: [clock(at), text(INSTRUCTIONS)], messages: question(at) }));
    nowMs += 24 * 60 * MINUTE_MS;
    expect(found()[0]?.requestsPerDay).toBeLessThan(60);
  });

  it('is Claude Code’s attribution only where the upstream does not strip it', () => {
    for (const strips of [true, false]) {
      volatile = createVolatilePrefixes();
      for (let at = 0; at < 10; at++) {
        const attribution = text(`x-anthropic-billing-header: cc_version=2.1.330.${at};`);
        send({ system: [attribution, text(INSTRUCTIONS)], messages: question(at) }, 'acme', strips);
      }
      expect(found().map(({ place }) => place)).toEqual(strips ? [] : ['system[0]']);
    }
  });
});

describe('nothing is reported', () => {
  it.each<[string, (at: number) => object]>([
    ['of a growing conversation', (at) => ({ system: [text(INSTRUCTIONS), text('And brief.')], messages: [0, 1, 2].slice(0, 1 + (at % 3)).map((turn) => user(`${turn}`)) })], // prettier-ignore
    [
      'of many users under one head',
      (at) => ({ system: [text(INSTRUCTIONS), text('And brief.')], messages: question(at) }),
    ],
    ['of a last system block that changes, with nothing stable behind it', (at) => ({ system: [text(INSTRUCTIONS), clock(at)], messages: question(at) })], // prettier-ignore
    [
      'of a system prompt that is one string',
      (at) => ({ system: `It is ${at}:00. ${INSTRUCTIONS}`, messages: question(at) }),
    ],
    [
      'of prompts that differ in all their blocks',
      (at) => ({ system: [clock(at), text(`Case ${at}.`)], messages: question(at) }),
    ],
    ['of two prompts with a common second block that take turns', (at) => ({ system: [text(at % 2 ? 'Anna' : 'Otto'), text(INSTRUCTIONS)], messages: question(at) })], // prettier-ignore
    ['of a prompt without system and tools', (at) => ({ messages: question(at) })],
  ])('%s', (_what, bodyOf) => {
    sendMany(40, bodyOf);
    expect(found()).toEqual([]);
  });

  it('before there are enough requests to be sure', () => {
    sendMany(7, (at) => ({ system: [clock(at), text(INSTRUCTIONS)], messages: question(at) }));
    expect(found()).toEqual([]);
  });
});

it('places are bounded: of ten thousand heads only the newest are watched', () => {
  for (let at = 0; at < 10_000; at++) {
    send({ system: [text(`Head ${at}`), clock(at), text('Be brief.')], messages: question(at) }, `tenant ${at}`);
  }
  sendMany(10, (at) => ({ system: [clock(at), text(INSTRUCTIONS)], messages: question(at) }));
  expect(found().map(({ place }) => place)).toEqual(['system[0]']);
});
