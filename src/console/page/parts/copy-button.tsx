import { useEffect, useState } from 'preact/hooks';

/** Copies a text and says for two seconds that it did, or that the browser would not. */
export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    if (said === null) return undefined;
    const timer = setTimeout(() => setSaid(null), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = (): void => {
    // Without a secure context there is no clipboard at all: a gateway on plain HTTP in a local network.
    const written = 'clipboard' in navigator ? navigator.clipboard.writeText(text) : Promise.reject(new Error());
    written.then(
      () => setSaid('Copied'),
      () => setSaid('Not allowed here'),
    );
  };
  return (
    <button type="button" class="small" onClick={copy}>
      <span aria-live="polite">{said ?? label}</span>
    </button>
  );
}
