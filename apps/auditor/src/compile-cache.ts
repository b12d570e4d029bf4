import { enableCompileCache } from 'node:module';

// The first import of a process: what is loaded after it need not be compiled at the next start, and a killed service is back sooner.
enableCompileCache();
