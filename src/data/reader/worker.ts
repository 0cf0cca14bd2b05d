import { serve } from './serve.ts';

// The program of the reading thread.

await serve();
