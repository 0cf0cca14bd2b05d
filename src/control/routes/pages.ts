import { type Static, Type } from 'typebox';
import type { Routes } from '../routes.ts';

const params = Type.Object({ id: Type.String({ pattern: '^[0-9A-Za-z]{22}$' }) });

/**
 * Where the links in messages lead. It says how to answer and nothing of the request, since it asks nobody who they
 * are: whoever may see the request sees it with the command.
 */
export function pageRoutes({ app, ports }: Routes): void {
  app.get('/approvals/:id', { schema: { params } }, async (request, reply) => {
    const { id } = request.params as Static<typeof params>;
    const { url } = ports.config();
    return reply.type('text/html; charset=utf-8').send(pageOf(id, url));
  });
}

/** Neither needs escaping: an id is letters and digits, and an origin has no character that HTML knows. */
function pageOf(id: string, url: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Request ${id}</title></head>
<body>
<h1>Somebody waits for an answer</h1>
<p>This is how to see what they ask for, and to answer it, in a terminal:</p>
<pre>sallyport login --url ${url}
sallyport approvals show ${id}
sallyport approvals approve ${id}
sallyport approvals deny ${id} --reason "…"</pre>
</body>
</html>
`;
}
