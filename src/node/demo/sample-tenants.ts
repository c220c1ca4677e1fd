/**
 * The demo's tenants, and the settings that make them: the same YAML an operator writes, read by the same parser.
 * Their keys open nothing but a gateway on loopback in front of a simulator, which is why they may be printed.
 */
export interface SampleTenant {
  readonly id: string;
  readonly key: string;
  /** What its traffic is like, in a few words for the table. */
  readonly traffic: string;
  readonly maxConcurrency: number;
}

export const SAMPLE_TENANTS = [
  sample('chat', 8, 'growing conversations, no cache_control'),
  sample('agent', 8, 'tool loops, marked as Claude Code marks'),
  sample('rag', 8, 'questions about one marked document'),
  sample('batch', 20, 'bursts of 20 on one marked prefix'),
  sample('greedy', 2, 'five times its two slots, no cache_control'),
  sample('quiet', 2, 'one request every 20 s, automatic caching'),
] as const;

export type SampleTenantId = (typeof SAMPLE_TENANTS)[number]['id'];

function sample<Id extends string>(id: Id, maxConcurrency: number, traffic: string): SampleTenant & { id: Id } {
  return { id, key: `sample-key-of-${id}`, traffic, maxConcurrency };
}

export function demoSettings(simulatorUrl: string, consoleToken: string): string {
  const tenants = SAMPLE_TENANTS.map(
    ({ id, key, maxConcurrency }) => `  - id: ${id}
    keys: ['${key}']
    maxConcurrency: ${maxConcurrency}
    queue: { max: 64, timeout: 120s }
`,
  );
  return `upstreams:
  - id: simulator
    baseUrl: ${simulatorUrl}
    apiKey: demo-upstream-key
tenants:
${tenants.join('')}console: { token: ${consoleToken} }
`;
}
