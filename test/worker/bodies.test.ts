import { describe, expect, it } from 'vitest';
import { message } from '../support/claude-answers.ts';
import { asking, managed } from '../support/gateway-under-test.ts';
import { useWorkerStage } from './worker-stage.ts';

/** An isolate has 128 MB in production, shared by all its requests; workerd here has no such limit, and is measured. */
const start = useWorkerStage();
const MIB = 1024 * 1024;

function bodyOf(bytes: number): string {
  const frame = JSON.stringify({ model: 'claude-sonnet-5', max_tokens: 8, messages: [{ role: 'user', content: '' }] });
  return frame.replace('"content":""', `"content":"${'x'.repeat(bytes - frame.length)}"`);
}

describe('a body', () => {
  it('of 32 MiB reaches the upstream byte for byte', async () => {
    const stage = await start({ settings: managed('cache: off') });
    const body = bodyOf(32 * MIB);
    const beforeBytes = stage.workerd.residentBytes();
    const client = await stage.open(asking({ body }));
    const call = await stage.upstream.call(0);
    const grownMib = Math.round((stage.workerd.residentBytes() - beforeBytes) / MIB);
    console.log(`workerd is ${grownMib} MiB larger while a body of 32 MiB is upstream`);
    expect(call.body.equals(Buffer.from(body))).toBe(true);
    call.answer(200, message());
    expect((await client.response()).status).toBe(200);
  });

  it('of 33 MiB is refused with 413, and nothing goes upstream', async () => {
    const stage = await start({ settings: managed() });
    // Announced and not sent: what workerd has not read of a body makes it reset the connection, and the answer with it.
    const client = await stage.open(asking({ headers: { 'content-length': String(33 * MIB) }, body: '' }));
    const response = await client.response();
    expect(response.status).toBe(413);
    expect(response.json()).toMatchObject({ type: 'error', error: { type: 'request_too_large' } });
    expect(stage.upstream.calls).toHaveLength(0);
  });
});
