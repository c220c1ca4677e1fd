/** Resolves on the first SIGTERM or SIGINT; a second one ends the process as a signal would. */
export function stopSignal(): { readonly received: Promise<void>; readonly forget: () => void } {
  const { promise: received, resolve } = Promise.withResolvers<void>();
  let isStopping = false;
  const onSignal = (): void => {
    if (isStopping) process.exit(SIGINT_EXIT_CODE);
    isStopping = true;
    resolve();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const forget = (): void => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  return { received, forget };
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
const SIGINT_EXIT_CODE = 130;
