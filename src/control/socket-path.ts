import { join } from 'node:path';

/** Where a gateway listens for its own machine. */
export function localSocketPath(data: string): string {
  return join(data, 'sallyport.sock');
}
