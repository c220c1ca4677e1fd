import type { Desk, Question } from '../desk.ts';
import type { Writer } from '../words.ts';

const READERS = 2;
const DOCUMENT_TOKENS = 20_000;

/** Many questions about one long document, which carries the marker: all but the first should read it from the cache. */
export async function documentQuestions(desk: Desk): Promise<void> {
  const data = desk.writer(0).text(DOCUMENT_TOKENS);
  await Promise.all(Array.from({ length: READERS }, (_, reader) => askOn(desk, desk.writer(reader + 1), data)));
}

async function askOn(desk: Desk, writer: Writer, data: string): Promise<void> {
  while (!desk.isStopping) {
    await desk.ask(questionAbout(data, writer.text(writer.between(15, 60))));
    await desk.pause(writer.between(300, 1_500));
  }
}

function questionAbout(data: string, question: string): Question {
  const source = { type: 'text', media_type: 'text/plain', data } as const;
  return {
    model: 'claude-sonnet-5-5',
    max_tokens: 600,
    messages: [
      {
        role: 'user',
        content: [
          { type: 'document', source, cache_control: { type: 'ephemeral' } },
          { type: 'text', text: question },
        ],
      },
    ],
  };
}
