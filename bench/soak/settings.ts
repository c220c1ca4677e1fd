// The soak's gateway as an operator would write it down; a minute of it is a second of the machine. `main` and `spare` are two workspaces of one organization.

import type { SoakTenant } from './tenants.ts';

export const WORKSPACES = { 'soak-key-of-main': 'wrkspc_soak_main', 'soak-key-of-spare': 'wrkspc_soak_spare' } as const;

export function keyOf(tenantId: string): string {
  return `soak-gateway-key-of-${tenantId}`;
}

export function soakSettings(simulatorUrl: string, tenants: readonly SoakTenant[]): string {
  return `upstreams:
  - { id: main, baseUrl: "${simulatorUrl}", apiKey: soak-key-of-main, cacheDomain: main, maxConcurrency: 64 }
  - { id: spare, baseUrl: "${simulatorUrl}", apiKey: soak-key-of-spare, cacheDomain: spare, maxConcurrency: 64 }
tenants:
${tenants.map(lineOf).join('\n')}
limits: { hangUpDrain: 1h }
`;
}

function lineOf({ id, settings }: SoakTenant): string {
  const upstreams = settings.includes('upstreams:') ? '' : ', upstreams: [main]';
  const own = settings.trim().replace(/,$/, '');
  return `  - { id: ${id}, keys: [${keyOf(id)}]${upstreams}, ${own} }`;
}
