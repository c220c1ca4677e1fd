import { env } from 'cloudflare:workers';
import worker from './main.js';

export * from './main.js';

/**
 * Put in front of the deployed module, unchanged itself: time in this isolate and its objects is what the test says it is.
 * Each timer looks at it by itself, in the context that has set it: a context must not run what belongs to another.
 */
const LOOK_MS = 2;
const FIRED_WITHIN_MS = 250;
const SETTLE_MS = 6;

const look = setInterval;
const stopLooking = clearInterval;
const sleep = (ms) => new Promise((resolve) => realTimeout(resolve, ms));
const realTimeout = setTimeout;

let nowMs = Number(env.HELD_CLOCK_NOW_MS);
const zeroWallMs = Number(env.HELD_CLOCK_ZERO_MS);
const dueMs = new Map();
let lastId = 0;

Date.now = () => zeroWallMs + nowMs;

globalThis.setTimeout = (run, delayMs = 0) => {
  const id = ++lastId;
  dueMs.set(id, nowMs + Math.max(0, delayMs));
  const looking = look(() => {
    if (dueMs.has(id) && dueMs.get(id) > nowMs) return;
    stopLooking(looking);
    if (dueMs.delete(id)) run();
  }, LOOK_MS);
  return id;
};

globalThis.clearTimeout = (id) => void dueMs.delete(id);

/** Timers of contexts that have ended do not fire any more: they are forgotten. */
async function moveTo(ms) {
  nowMs = ms;
  const isDue = () => [...dueMs.values()].some((due) => due <= nowMs);
  for (let waitedMs = 0; isDue() && waitedMs < FIRED_WITHIN_MS; waitedMs += LOOK_MS) await sleep(LOOK_MS);
  for (const [id, due] of dueMs) if (due <= nowMs) dueMs.delete(id);
  await sleep(SETTLE_MS);
}

export default {
  async fetch(request, environment, context) {
    const [, ms] = /\/held-clock\?to=([\d.]*)$/.exec(request.url) ?? [];
    if (ms === undefined) return worker.fetch(request, environment, context);
    if (ms !== '') await moveTo(Number(ms));
    return Response.json({ nextDueMs: dueMs.size > 0 ? Math.min(...dueMs.values()) : null, pending: dueMs.size });
  },
};
