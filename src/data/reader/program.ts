import { serve } from './serve.ts';

// The program of the reading process.

await serve();
