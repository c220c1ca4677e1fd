import { useState } from 'preact/hooks';
import { useSession } from '../data/session.ts';
import { Problem } from './notices.tsx';

/** Saves what the API gives as a file under the gateway's name for it: a plain link could not send the token. */
export function ExportButton({ path, label }: { readonly path: string; readonly label: string }) {
  const { api, onUnauthorized } = useSession();
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (): Promise<void> => {
    const answer = await api.download(path);
    if (answer.kind === 'unauthorized') return onUnauthorized();
    setProblem(answer.kind === 'failed' ? answer.because : null);
    if (answer.kind !== 'ok') return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(answer.value.content);
    link.download = answer.value.fileName;
    link.click();
    // The browser reads the content after the click has returned.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  return (
    <>
      <button type="button" class="apart" onClick={() => void save()}>
        {label}
      </button>
      {problem !== null && <Problem>{problem}</Problem>}
    </>
  );
}
