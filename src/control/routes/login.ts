import type { Routes } from '../routes.ts';

/** What a client must know before anybody has logged in: where to. Nothing here is secret. */
export function loginRoutes({ app, ports }: Routes): void {
  app.get('/v1/login', () => {
    const config = ports.config();
    const people = config.identity.providers.filter((provider) => provider.kind === 'people');
    return {
      url: config.url,
      providers: people.map(({ name, issuer, audience }) => ({ name, issuer, client_id: audience })),
    };
  });
}
