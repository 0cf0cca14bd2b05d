import { tmpdir } from 'node:os';
import { canReach, serverAccount } from '../store/account.ts';

/** Where temporary things go that the database server must reach: root's own directory may be closed to its account. */
export async function temporaryFolder(): Promise<string> {
  return canReach(await serverAccount(), tmpdir()) ? tmpdir() : '/tmp';
}
