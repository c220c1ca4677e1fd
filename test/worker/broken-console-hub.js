import { DurableObject } from 'cloudflare:workers';

/** The deployed module, with a console's hub that fails at whatever it is asked. */
export * from './main.js';
export { default } from './main.js';

export class ConsoleHub extends DurableObject {
  tell() {
    throw new Error('the hub is broken');
  }
}
