import { curlLine } from './curl-line.ts';
import { SAMPLE_TENANTS } from './sample-tenants.ts';

export interface Addresses {
  readonly gatewayUrl: string;
  readonly simulatorUrl: string;
  readonly consoleToken: string;
  /** Where the wanted port was taken. */
  readonly portTaken: number | null;
}

/** What is printed once, above the figures. The curl line stands on a line of its own, from the first column on. */
export function introduction(
  { gatewayUrl, simulatorUrl, consoleToken, portTaken }: Addresses,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const keys = SAMPLE_TENANTS.map(({ key }) => key);
  return [
    'Slipstream demo: six sample tenants, the gateway, and the built-in Claude simulator.',
    'Nothing leaves this machine; times and dollars are simulated, the gateway is real.',
    ...(portTaken === null ? [] : [`Port ${portTaken} is taken, hence another one.`]),
    '',
    `base URL  ${gatewayUrl}`,
    `console   ${gatewayUrl}/console#token=${consoleToken}`, // what stands behind # is never sent
    `metrics   ${gatewayUrl}/metrics`,
    `simulator ${simulatorUrl}`,
    `keys      ${keys.slice(0, 3).join('  ')}`,
    `          ${keys.slice(3).join('  ')}`,
    '',
    curlLine(gatewayUrl, SAMPLE_TENANTS[0].key, environment),
    '',
    '',
  ].join('\n');
}
