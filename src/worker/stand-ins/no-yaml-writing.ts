/**
 * Stands in the bundle for the half of the YAML package that writes (wrangler.toml, alias). Settings are only read; should
 * anything be written after all, the settings are reported as unreadable.
 */
function notWritten(): never {
  throw new Error('settings are read, not written');
}

export const createStringifyContext = notWritten;
export const stringifyCollection = notWritten;
export const stringifyDocument = notWritten;
export const stringifyNumber = notWritten;
export const stringifyPair = notWritten;
export const stringifyString = notWritten;
