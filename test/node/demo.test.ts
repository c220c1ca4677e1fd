import { afterEach, describe, expect, it } from 'vitest';
import { startCli, startShell, type Child } from './demo-child.ts';

const children: Child[] = [];

function started(child: Child): Child {
  children.push(child);
  return child;
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A summary's table: row name → head → number. */
function readTable(summary: string, firstHead: string): Record<string, Record<string, number>> {
  const lines = summary.split('\n');
  const at = lines.findIndex((line) => line.startsWith('tenant') && line.includes(firstHead));
  const [, ...heads] = (lines[at] ?? '').split(/ {2,}/);
  const rows = lines.slice(at + 1, at + 8).map((line) => {
    const [name = '', ...cells] = line.split(/ {2,}/);
    return [name, Object.fromEntries(heads.map((head, index) => [head, numberOf(cells[index] ?? '')]))];
  });
  return Object.fromEntries(rows) as Record<string, Record<string, number>>;
}

function numberOf(cell: string): number {
  return Number(cell.replaceAll(/[$,%]/g, ''));
}

const TENANTS = ['chat', 'agent', 'rag', 'batch', 'greedy', 'quiet'];

function sumOf(table: Record<string, Record<string, number>>, head: string): number {
  return TENANTS.reduce((sum, tenant) => sum + (table[tenant]?.[head] ?? Number.NaN), 0);
}

describe('slipstream demo', () => {
  it('prints a curl line that answers with a whole stream, and a summary that adds up', async () => {
    const demo = started(startCli('demo', '--seconds', '8', '--port', '0'));
    const line = await demo.printed(/^curl .+$/m, 'the curl line');

    const page = await demo.printed(/(?<=^console {3})\S+$/m, 'the address of the console');
    const [address = '', token = ''] = page.split('#token=');
    const savings = await fetch(`${address}/api/savings`, { headers: { authorization: `Bearer ${token}` } });
    expect(await savings.json()).toMatchObject({ by: 'tenant' });

    const curl = started(startShell(line));
    expect(await curl.exit('the end of curl')).toBe(0);
    expect(curl.stdout).toMatch(/^event: message_start\ndata: \{/);
    expect(curl.stdout).toMatch(/\nevent: message_stop\ndata: \{"type":"message_stop"\}\n\n$/);

    expect(await demo.exit('the end of the demo')).toBe(0);
    expect(demo.stderr).toBe('');
    const summary = demo.stdout.slice(demo.stdout.indexOf('Summary of'));
    const requests = readTable(summary, 'requests');
    for (const tenant of TENANTS) expect(requests[tenant]?.['requests'], tenant).toBeGreaterThan(0);
    for (const head of ['requests', 'errors', 'cut', 'retries']) {
      expect(requests['total']?.[head], head).toBe(sumOf(requests, head));
    }
    expect(requests['total']?.['errors']).toBe(0);
    const answered = (requests['total']?.['requests'] ?? 0) - (requests['total']?.['cut'] ?? 0);
    expect(summary).toContain(`No request failed: ${answered} were answered`);

    const tokens = readTable(summary, 'uncached');
    for (const head of ['uncached', 'cache read', 'write 5m', 'write 1h', 'output']) {
      expect(tokens['total']?.[head], head).toBe(sumOf(tokens, head));
    }
    for (const row of Object.values(tokens)) expect(row['hit']).toBe(hitOf(row));
  }, 60_000);

  it('shows the greedy tenant with a queue and the others without, and ends on SIGINT with exit code 0', async () => {
    const demo = started(startCli('demo', '--port', '0'));
    await demo.printed(/^\d+ s {2}greedy: [0-2] open, [78] queued, /m, 'a line of greedy with a queue');
    await demo.printed(/^\d+ s {2}batch: \d+ open, 0 queued, /m, 'a line of batch without a queue');
    demo.kill('SIGINT');
    expect(await demo.exit('the end of the demo')).toBe(0);
    expect(demo.stdout).toContain('No request failed');
  }, 60_000);

  it('exits with 1 when a request failed, and says which', async () => {
    const demo = started(startCli('demo', '--seconds', '4', '--port', '0'));
    const simulator = await demo.printed(/(?<=^simulator )\S+$/m, 'the address of the simulator');
    const order = { fault: '400', times: 1 }; // no status that anybody would retry
    await fetch(`${simulator}/_simulator/faults`, { method: 'POST', body: JSON.stringify(order) });
    expect(await demo.exit('the end of the demo')).toBe(1);
    expect(demo.stdout).toMatch(/^Failures that should not have been: 1\n {2}\w+: BadRequestError: 400 /m);
  }, 60_000);

  it('refuses seconds that are no number', async () => {
    const demo = started(startCli('demo', '--seconds', 'soon'));
    expect(await demo.exit('the refusal')).toBe(1);
    expect(demo.stderr).toContain("--seconds takes a whole number from 0 to 2147483, not 'soon'");
  });
});

/** The share as it is printed. */
function hitOf(row: Record<string, number>): number {
  const read = row['cache read'] ?? 0;
  const input = read + (row['uncached'] ?? 0) + (row['write 5m'] ?? 0) + (row['write 1h'] ?? 0);
  return Math.round((read / input) * 100);
}
