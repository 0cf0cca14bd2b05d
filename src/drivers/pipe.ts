import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import { Fault } from '../core/fault.ts';
import type { Origin } from '../core/login.ts';

/** What TLS needs on the listening side. Replaced as a whole when the certificate is renewed. */
export interface ServerTls {
  readonly context: SecureContext;
  /** tls-server-end-point binding data (RFC 5929 §4.1): the hash of the certificate the context presents. */
  readonly endpoint: Uint8Array;
}

/**
 * A client's byte stream while a driver greets it: read on demand, upgraded to TLS in place. Afterwards the driver
 * takes `stream` over and the pipe is done. Whoever accepted the connection closes it.
 */
export class Pipe {
  #stream: Duplex;
  #address: string;
  #confidential: boolean;
  #endpoint: Uint8Array | undefined;

  constructor(stream: Duplex, origin: Origin) {
    this.#stream = stream;
    this.#address = origin.address;
    this.#confidential = origin.confidential;
    // Whoever reads learns of an error from `read`; an emitter without a listener would end the process.
    stream.on('error', () => {});
  }

  get stream(): Duplex {
    return this.#stream;
  }

  get origin(): Origin {
    return { address: this.#address, confidential: this.#confidential };
  }

  /** Channel binding data of the TLS connection; undefined without TLS. */
  get endpoint(): Uint8Array | undefined {
    return this.#endpoint;
  }

  /** The next bytes, or undefined at the end of the stream. Throws Fault ABORTED when the signal fires. */
  async read(signal: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk: Uint8Array | null = this.#stream.read();
      if (chunk !== null) return chunk;
      if (this.#stream.readableEnded || this.#stream.destroyed) return undefined;
      const settled = new AbortController();
      try {
        const options = { signal: AbortSignal.any([signal, settled.signal]) };
        await Promise.race(['readable', 'end', 'close'].map((event) => once(this.#stream, event, options)));
      } catch (cause) {
        if (signal.aborted) throw new Fault('ABORTED', 'the login took too long or the gateway is stopping', { cause });
        return undefined;
      } finally {
        settled.abort();
      }
    }
  }

  /** Puts bytes back in front of what is still to be read. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#stream.unshift(bytes);
  }

  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  /** Goes on in TLS, the gateway being the server. Throws Fault PROTOCOL_MALFORMED when the handshake fails. */
  async secure(
    tls: ServerTls,
    protocol: string,
    signal: AbortSignal,
  ): Promise<{ readonly negotiated: string | false }> {
    const socket = new TLSSocket(this.#stream, {
      isServer: true,
      secureContext: tls.context,
      ALPNProtocols: [protocol],
    });
    this.#stream = socket;
    try {
      await once(socket, 'secure', { signal });
    } catch (cause) {
      throw new Fault('PROTOCOL_MALFORMED', 'the TLS handshake failed', { cause });
    }
    socket.on('error', () => {});
    this.#confidential = true;
    this.#endpoint = tls.endpoint;
    return { negotiated: socket.alpnProtocol ?? false };
  }
}
