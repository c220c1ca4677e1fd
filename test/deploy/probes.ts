import { createGateway } from '../../src/node/gateway.ts';
import { systemClock } from '../../src/node/system-clock.ts';
import { parseConfig } from '../../src/config/parse-config.ts';
import { sha256Hex } from '../../src/node/gateway.ts';

/** What a probe sees of a gateway that serves, and of one that has been told to end. */
export async function probe(path: string): Promise<{ readonly serving: number; readonly draining: number }> {
  const settings = parseConfig('', {}, { sha256Hex });
  if (settings.kind === 'invalid') throw new Error('no settings are valid settings');
  const gateway = createGateway({ ...settings, clock: systemClock, onRecord: () => {}, onInternalError: () => {} });
  const { status: serving } = await gateway.app.request(path);
  gateway.startDraining();
  const { status: draining } = await gateway.app.request(path);
  await gateway.close();
  return { serving, draining };
}
