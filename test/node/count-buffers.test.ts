import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/** Makes and forgets a gigabyte of buffers in a process of its own; how often its whole heap was marked meanwhile. */
function markings(nodeVersion: string): { readonly count: number; readonly stderr: string } {
  const module = new URL('../../src/node/count-buffers.ts', import.meta.url).href;
  const script = `
    import { PerformanceObserver, constants } from 'node:perf_hooks';
    import { setImmediate as turn } from 'node:timers/promises';
    import { countBuffersAsHeap } from ${JSON.stringify(module)};
    countBuffersAsHeap(${JSON.stringify(nodeVersion)});
    let count = 0;
    const isMarking = ({ detail }) => detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
    new PerformanceObserver((list) => (count += list.getEntries().filter(isMarking).length)).observe({ entryTypes: ['gc'] });
    for (let made = 0; made < 1000; made++) {
      Buffer.allocUnsafeSlow(1024 * 1024);
      await turn();
    }
    await turn();
    console.log(count);
  `;
  const flags = ['--initial-old-space-size=512', '--input-type=module', '--eval', script];
  const { stdout, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8' });
  return { count: Number(stdout), stderr };
}

describe('buffers that count as heap', () => {
  it('are taken back without the whole heap being marked', () => {
    const asUsual = markings('22.18.0');
    const counted = markings(process.versions.node);
    expect(asUsual.count).toBeGreaterThan(4);
    expect(counted.count).toBeLessThan(asUsual.count / 2);
  });

  it('are nothing that V8 complains of', () => {
    expect(markings(process.versions.node).stderr).toBe('');
    expect(markings('22.18.0').stderr).toBe('');
  });
});
