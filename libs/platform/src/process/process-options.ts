import { enableCompileCache, setSourceMapsSupport } from 'node:module';

/**
 * The first import of a program: what is loaded after it need not be compiled at the next start, and its stacks name the
 * lines of the sources. Those of other people's packages stay as they are: to read their maps costs a tenth of the start.
 */
enableCompileCache();
setSourceMapsSupport(true, { nodeModules: false });
