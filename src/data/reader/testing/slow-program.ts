import type { Request } from '../messages.ts';
import { serve } from '../serve.ts';

// The reading process as tests need it: busy for as long as a request says (`takes 60000 ms`), however fast the machine,
// and dead when one says `aborts`.

await serve((request) => {
  const until = performance.now() + Number(/takes ([0-9]+) ms/.exec(wordsOf(request))?.[1] ?? 0);
  while (performance.now() < until);
  if (wordsOf(request).includes('aborts')) process.kill(process.pid, 'SIGKILL');
});

function wordsOf(request: Request): string {
  switch (request.kind) {
    case 'read':
      return request.text;
    case 'trace':
      return request.definitions.map(({ text }) => text).join(' ');
    case 'catalog':
      return request.snapshot.schemas.join(' ');
    case 'forget':
      return '';
  }
}
