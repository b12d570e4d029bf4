import { enableCompileCache } from 'node:module';
import { nameSourcesInStacks } from './source-stacks';

/** The first import of a program: what is loaded after it need not be compiled at the next start. */
enableCompileCache();
nameSourcesInStacks();
