/** What `oidc-provider` stores about logins under way. */
export interface Payload {
  readonly [field: string]: unknown;
  consumed?: number;
}

/** The storage interface of `oidc-provider`, in memory: gone with the process, shared with nobody. */
export class MemoryAdapter {
  readonly #model: string;
  readonly #rows: Map<string, { payload: Payload; ends: number }>;

  /** `rows` are shared by the adapters of all models of one provider. */
  constructor(model: string, rows: Map<string, { payload: Payload; ends: number }>) {
    this.#model = model;
    this.#rows = rows;
  }

  async upsert(id: string, payload: Payload, expiresIn: number | undefined): Promise<void> {
    const now = Date.now();
    for (const [key, { ends }] of this.#rows) if (ends <= now) this.#rows.delete(key);
    const ends = expiresIn === undefined ? Number.POSITIVE_INFINITY : now + expiresIn * 1000;
    this.#rows.set(this.#key(id), { payload, ends });
  }

  async find(id: string): Promise<Payload | undefined> {
    const row = this.#rows.get(this.#key(id));
    return row && row.ends > Date.now() ? row.payload : undefined;
  }

  findByUid(uid: string): Promise<Payload | undefined> {
    return this.#findBy('uid', uid);
  }

  findByUserCode(userCode: string): Promise<Payload | undefined> {
    return this.#findBy('userCode', userCode);
  }

  async consume(id: string): Promise<void> {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    this.#rows.delete(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, { payload }] of this.#rows) if (payload['grantId'] === grantId) this.#rows.delete(key);
  }

  async #findBy(field: string, value: string): Promise<Payload | undefined> {
    const now = Date.now();
    for (const [key, { payload, ends }] of this.#rows) {
      if (key.startsWith(`${this.#model} `) && ends > now && payload[field] === value) return payload;
    }
    return undefined;
  }

  #key(id: string): string {
    return `${this.#model} ${id}`;
  }
}
